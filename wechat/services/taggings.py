"""Which follower carries which tag: what WeChat told, and what somebody wants.

Higher apps say who is to carry a tag (`want_tag`); the rows that differ from what WeChat has are the queue that
`tagging_queue` works off. What was put on in WeChat's console is nobody's wish, and stays.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from core import clock
from wechat.contracts import TaggingCounts, WantedTag
from wechat.models import FollowerTag, FollowerTagging
from wechat.models.followers import TaggingState

logger = logging.getLogger(__name__)

_PUT: Final = """
INSERT INTO wechat_followertagging AS known
    (tag_id, openid, is_there, wanted, state, not_before, attempt_count, code, changed_at, lease_holder)
SELECT %s, follower.openid, FALSE, TRUE, 'queued', %s, 0, '', %s, ''
FROM wechat_follower follower
WHERE follower.account_id = %s AND follower.is_following AND follower.openid IN ({openids})
ORDER BY follower.openid
ON CONFLICT (tag_id, openid) DO UPDATE
SET wanted = TRUE, not_before = excluded.not_before, attempt_count = 0, code = '', errcode = NULL,
    state = CASE WHEN known.is_there AND known.lease_holder = '' THEN 'settled' ELSE 'queued' END
WHERE known.wanted IS DISTINCT FROM TRUE
"""
_FORGET_WITHIN: Final = dt.timedelta(days=7)
# What a worker has in hand this moment may get there yet: it is looked at again after.
_TAKE: Final = """
UPDATE wechat_followertagging known
SET wanted = FALSE, not_before = %s, attempt_count = 0, code = '', errcode = NULL,
    state = CASE WHEN NOT known.is_there AND known.lease_holder = '' THEN 'settled' ELSE 'queued' END
WHERE known.tag_id = %s AND known.wanted AND known.openid NOT IN ({openids})
"""
# News is older than what was made or learnt after WeChat was asked.
_KEEP: Final = """
INSERT INTO wechat_followertagging AS known
    (tag_id, openid, is_there, wanted, state, not_before, attempt_count, code, changed_at, seen_at, lease_holder)
SELECT told.tag_id, told.openid, TRUE, NULL, 'settled', %(at)s, 0, '', %(at)s, %(run)s, ''
FROM unnest(%(tags)s::bigint[], %(openids)s::text[]) told (tag_id, openid)
JOIN wechat_followertag tag ON tag.id = told.tag_id
JOIN wechat_follower follower
    ON follower.account_id = tag.account_id AND follower.openid = told.openid AND follower.is_following
ORDER BY told.tag_id, told.openid
ON CONFLICT (tag_id, openid) DO UPDATE
SET seen_at = excluded.seen_at, is_there = known.is_there OR known.changed_at < excluded.changed_at,
    state = CASE
        WHEN known.changed_at >= excluded.changed_at OR known.lease_holder <> '' THEN known.state
        WHEN known.wanted IS FALSE THEN 'queued'
        ELSE 'settled' END,
    changed_at = CASE
        WHEN known.is_there OR known.changed_at >= excluded.changed_at THEN known.changed_at
        ELSE excluded.changed_at END
"""


def want_tag(*, tag_pk: int, openids: QuerySet[Any, Any], at: dt.datetime | None = None) -> WantedTag:
    """Of the account's followers these (a queryset of openids) are to carry the tag, and nobody else whom we ever wanted it
    on; what differs waits for the queue. Whom WeChat refused it for waits again when her day is over."""
    at = at or clock.now()
    try:
        asked, values = openids.order_by().query.sql_with_params()
    except EmptyResultSet:
        asked, values = "SELECT '' WHERE FALSE", ()
    with transaction.atomic(), connection.cursor() as cursor:
        tag = FollowerTag.objects.lock(tag_pk)
        cursor.execute(_PUT.format(openids=asked), [tag.pk, at, at, tag.account_id, *values])
        put = cursor.rowcount
        cursor.execute(_TAKE.format(openids=asked), [at, tag.pk, *values])
        taken = cursor.rowcount
        FollowerTagging.objects.filter(tag=tag, state=TaggingState.FAILED, not_before__lte=at).update(
            state=TaggingState.QUEUED, attempt_count=0
        )
        _drop_settled(tag_id=tag.pk)
    return WantedTag(put_count=put, taken_count=taken)


def retry_failed_taggings(*, tag_pk: int, at: dt.datetime | None = None) -> int:
    """Whom WeChat refused the tag for is tried again now; how many."""
    failed = FollowerTagging.objects.filter(tag_id=tag_pk, state=TaggingState.FAILED)
    return failed.update(state=TaggingState.QUEUED, attempt_count=0, not_before=at or clock.now())


def release_tag(*, tag_pk: int) -> int:
    """Nobody wants anything of the tag any more: it stays where it is, and what waits is not done; how many rows."""
    wanted = FollowerTagging.objects.filter(tag_id=tag_pk, wanted__isnull=False, forgotten_at__isnull=True)
    with transaction.atomic():
        count = wanted.update(wanted=None, state=TaggingState.SETTLED, code="", errcode=None)
        _drop_settled(tag_id=tag_pk)
    return count


def carrier_openids(tag_pk: int) -> QuerySet[Any, str]:
    """Openids of those who carry the tag, as far as we know; unevaluated."""
    return FollowerTagging.objects.filter(tag_id=tag_pk, is_there=True).values_list("openid", flat=True)


def count_taggings(tag_pks: Iterable[int]) -> dict[int, TaggingCounts]:
    """Of each tag that anybody carries or is to carry."""
    rows = FollowerTagging.objects.filter(tag_id__in=list(tag_pks)).values_list("tag_id")
    counted = rows.annotate(
        there=Count("pk", filter=Q(is_there=True)),
        waiting=Count("pk", filter=Q(state=TaggingState.QUEUED)),
        failed=Count("pk", filter=Q(state=TaggingState.FAILED)),
    )
    return {tag_id: TaggingCounts(*counts) for tag_id, *counts in counted}


def keep_listed(*, tag_pk: int, openids: list[str], run_at: dt.datetime, asked_at: dt.datetime) -> None:
    """These carry the tag, as WeChat's list said at `asked_at`; strangers are passed over."""
    _keep([(tag_pk, openid) for openid in openids], run_at=run_at, asked_at=asked_at)


def close_list(*, tag_pk: int, run_at: dt.datetime) -> None:
    """Whom the reading that began at `run_at` did not name does not carry the tag, unless something changed since; whom we
    want it on waits to get it again."""
    unseen = Q(seen_at__isnull=True) | Q(seen_at__lt=run_at)
    gone = FollowerTagging.objects.filter(unseen, tag_id=tag_pk, is_there=True, changed_at__lt=run_at)
    _take_off(gone, run_at)
    _drop_settled(tag_id=tag_pk)


def keep_told(*, account_id: int, told: Mapping[str, Iterable[int]], asked_at: dt.datetime) -> None:
    """These followers carry exactly these tags (WeChat's numbers), as it said at `asked_at`."""
    if not told:
        return
    tags = dict(FollowerTag.objects.filter(account_id=account_id).values_list("wechat_tag_id", "pk"))
    pairs = {
        (tags[number], openid) for openid, numbers in told.items() for number in numbers if number in tags
    }
    with transaction.atomic():
        _keep(sorted(pairs), run_at=asked_at, asked_at=asked_at)
        rows = FollowerTagging.objects.filter(
            tag__account_id=account_id, openid__in=list(told), is_there=True, changed_at__lt=asked_at
        )
        ids = [
            pk
            for pk, tag_id, openid in rows.values_list("pk", "tag_id", "openid")
            if (tag_id, openid) not in pairs
        ]
        if ids:
            _take_off(FollowerTagging.objects.filter(pk__in=ids), asked_at)
            FollowerTagging.objects.filter(pk__in=ids).filter(_SETTLED).delete()


def drop_taggings(*, account_id: int, openid: str) -> int:
    """Nothing is known of her tags any more: she left, and WeChat took them off."""
    return FollowerTagging.objects.filter(tag__account_id=account_id, openid=openid).delete()[0]


def forget_taggings(rows: QuerySet[FollowerTagging], *, at: dt.datetime) -> int:
    """The person of these was erased: what WeChat has on her is taken off, and the row goes with it; how many. A tag that a
    worker is putting on this moment is there afterwards."""
    there = Q(is_there=True) | ~Q(lease_holder="")
    touched = rows.exclude(there).delete()[0]
    return touched + rows.update(
        wanted=False,
        state=TaggingState.QUEUED,
        not_before=at,
        attempt_count=0,
        code="",
        errcode=None,
        seen_at=None,
        forgotten_at=at,
    )


def prune_forgotten_taggings(*, at: dt.datetime) -> int:
    """What WeChat has not taken off the erased within a week stays there until they unfollow; our rows go, and say so once."""
    left = FollowerTagging.objects.filter(forgotten_at__lt=at - _FORGET_WITHIN).delete()[0]
    if left:
        logger.error("wechat.tags_of_erased_left", extra={"tagging_count": left})
    return left


_SETTLED: Final = Q(state=TaggingState.SETTLED, is_there=False, lease_holder="") & ~Q(wanted=True)


def _keep(pairs: list[tuple[int, str]], *, run_at: dt.datetime, asked_at: dt.datetime) -> None:
    if pairs:
        values: dict[str, Any] = {
            "tags": [tag_id for tag_id, _openid in pairs],
            "openids": [openid for _tag_id, openid in pairs],
            "at": asked_at,
            "run": run_at,
        }
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, values)


def _take_off(rows: QuerySet[FollowerTagging], at: dt.datetime) -> None:
    wanted = FollowerTagging.objects.filter(
        pk__in=list(rows.filter(wanted=True).values_list("pk", flat=True))
    )
    rows.exclude(wanted=True).update(is_there=False, changed_at=at, state=TaggingState.SETTLED)
    wanted.update(is_there=False, changed_at=at, state=TaggingState.QUEUED, not_before=at, attempt_count=0)


def _drop_settled(*, tag_id: int) -> None:
    """Rows that say nothing: the tag is not there, and nobody wants it there."""
    FollowerTagging.objects.filter(_SETTLED, tag_id=tag_id).delete()
