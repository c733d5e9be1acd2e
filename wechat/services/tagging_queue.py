"""Putting tags on followers and taking them off in WeChat: the rows are the queue. Official page "user tag management".

Fifty people a call. Both calls change nothing when repeated, so a call in doubt is made again. One person whom WeChat
refuses (she has twenty tags, she left) would spoil the call of all: then it is halved until she is found.
"""

import datetime as dt
import secrets
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Case, F, Q, Value, When

from core import clock
from core.errors import NotFound
from core.outside import refuse_open_transaction
from wechat.client.errors import WeChatError
from wechat.client.gateway import GatewayClient
from wechat.models import FollowerTag, FollowerTagging
from wechat.models.followers import TaggingState
from wechat.services import lanes, verdicts
from wechat.services.clients import client_for

BATCH: Final = 50
CHANNEL: Final = "tagging"
TURN_S: Final = 45.0
LEASE: Final = dt.timedelta(seconds=120)
FAILED_FOR: Final = dt.timedelta(days=1)
_LONGEST_WAIT_S: Final = 2.0
_LONGEST_PAUSE: Final = dt.timedelta(minutes=10)
_TAG_GONE: Final = 45159
_CODES: Final = {45059: "tags_full", 40003: "unknown_user", 43004: "not_follower", _TAG_GONE: "tag_gone"}

_DUE: Final = """
SELECT DISTINCT tag.account_id FROM wechat_followertagging due
JOIN wechat_followertag tag ON tag.id = due.tag_id AND tag.gone_at IS NULL
JOIN wechat_account account ON account.id = tag.account_id AND account.is_active
WHERE due.state = 'queued' AND due.not_before <= %(now)s AND (due.leased_until IS NULL OR due.leased_until < %(now)s)
ORDER BY tag.account_id
"""
_CLAIM: Final = """
WITH first AS (
    SELECT due.tag_id, due.wanted FROM wechat_followertagging due
    JOIN wechat_followertag tag ON tag.id = due.tag_id AND tag.gone_at IS NULL
    WHERE tag.account_id = %(account_id)s AND due.state = 'queued' AND due.not_before <= %(now)s
      AND (due.leased_until IS NULL OR due.leased_until < %(now)s)
    ORDER BY due.not_before, due.id LIMIT 1),
due AS (
    SELECT row.id FROM wechat_followertagging row JOIN first ON first.tag_id = row.tag_id AND first.wanted = row.wanted
    WHERE row.state = 'queued' AND row.not_before <= %(now)s
      AND (row.leased_until IS NULL OR row.leased_until < %(now)s)
    ORDER BY row.not_before, row.id LIMIT %(limit)s FOR NO KEY UPDATE OF row SKIP LOCKED)
UPDATE wechat_followertagging row
SET lease_holder = %(holder)s, leased_until = %(until)s, attempt_count = attempt_count + 1
FROM due, wechat_followertag tag WHERE row.id = due.id AND tag.id = row.tag_id
RETURNING row.id, row.openid, row.tag_id, tag.wechat_tag_id, row.wanted, row.attempt_count
"""


class _Line(NamedTuple):
    id: int
    openid: str
    tag_id: int
    wechat_tag_id: int
    wanted: bool
    attempt_count: int


class _Enough(Exception):
    """The account takes no more calls for a while."""


def work_taggings() -> int:
    """What waits is done in WeChat, one account after the other; how many people's tags were settled. Safe to run many
    times at once."""
    refuse_open_transaction()
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": clock.now()})
        accounts = [row[0] for row in cursor.fetchall()]
    ends_at = time.monotonic() + TURN_S
    return sum(_Worker(account_id, ends_at).work() for account_id in accounts)


class _Worker:
    """One turn at one account's queue."""

    def __init__(self, account_id: int, ends_at: float) -> None:
        self._account_id = account_id
        self._ends_at = ends_at
        self._holder = secrets.token_hex(16)
        self._settled = 0

    def work(self) -> int:
        try:
            client = client_for(self._account_id)
        except NotFound:
            return 0
        try:
            while time.monotonic() < self._ends_at and (batch := self._claim()):
                self._send(client, batch)
        except _Enough:
            self._give_back()
        return self._settled

    def _claim(self) -> list[_Line]:
        now = clock.now()
        values: dict[str, Any] = {
            "account_id": self._account_id,
            "now": now,
            "limit": BATCH,
            "holder": self._holder,
            "until": now + LEASE,
        }
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, values)
            return sorted(_Line(*row) for row in cursor.fetchall())

    def _send(self, client: GatewayClient, batch: Sequence[_Line]) -> None:
        self._await_permit()
        call = client.tag.tag_user if batch[0].wanted else client.tag.untag_user
        try:
            call(batch[0].wechat_tag_id, [line.openid for line in batch])
        except WeChatError as error:
            self._note(client, batch, error)
        else:
            self._settle(batch)

    def _note(self, client: GatewayClient, batch: Sequence[_Line], error: WeChatError) -> None:
        now = clock.now()
        trouble = verdicts.trouble_of(error, at=now)
        if trouble is not None:
            lanes.note_trouble(account_id=self._account_id, channel=CHANNEL, trouble=trouble, at=now)
        if trouble is not None or not error.permanent:
            self._postpone(batch, error, now)
            raise _Enough
        if error.errcode == _TAG_GONE:
            FollowerTag.objects.live().filter(pk=batch[0].tag_id).update(gone_at=now)
            self._fail(batch, error, now)
        elif len(batch) == 1:
            self._fail(batch, error, now)
        else:
            middle = len(batch) // 2
            self._send(client, batch[:middle])
            self._send(client, batch[middle:])

    def _await_permit(self) -> None:
        """Leave for one call. Raises _Enough when the channel is stopped or slowed for longer than a moment."""
        while True:
            now = clock.now()
            permits = lanes.take_permits(account_id=self._account_id, channel=CHANNEL, wanted=1, at=now)
            if permits.count:
                return
            if permits.halt_code or permits.wait_until is None:
                raise _Enough
            pause_s = (permits.wait_until - now).total_seconds()
            if pause_s > _LONGEST_WAIT_S:
                raise _Enough
            time.sleep(max(pause_s, 0.001))

    def _mine(self, batch: Sequence[_Line]) -> Any:
        return FollowerTagging.objects.filter(pk__in=[line.id for line in batch], lease_holder=self._holder)

    def _settle(self, batch: Sequence[_Line]) -> None:
        """WeChat has it so; who is wanted otherwise by now waits again, and rows that say nothing go."""
        sent = batch[0].wanted
        as_wanted = Q(wanted=sent) | Q(wanted__isnull=True)
        if not sent:
            self._settled += self._mine(batch).filter(as_wanted).delete()[0]
        self._settled += self._mine(batch).update(
            is_there=sent,
            changed_at=clock.now(),
            state=Case(When(as_wanted, then=Value(TaggingState.SETTLED)), default=F("state")),
            attempt_count=0,
            code="",
            errcode=None,
            lease_holder="",
            leased_until=None,
        )

    def _fail(self, batch: Sequence[_Line], error: WeChatError, now: dt.datetime) -> None:
        """WeChat does not do it for these; not before tomorrow again."""
        code = verdicts.PREFIX + _CODES.get(error.errcode or 0, "refused")
        free = {"lease_holder": "", "leased_until": None}
        mine = self._mine(batch)
        mine.filter(forgotten_at__isnull=False, wanted=batch[0].wanted).delete()
        mine.filter(wanted=batch[0].wanted).update(
            state=TaggingState.FAILED, code=code, errcode=error.errcode, not_before=now + FAILED_FOR, **free
        )
        mine.update(**free)

    def _postpone(self, batch: Sequence[_Line], error: WeChatError, now: dt.datetime) -> None:
        pause = min(_LONGEST_PAUSE, dt.timedelta(seconds=2 ** min(batch[0].attempt_count, 10)))
        self._mine(batch).update(
            not_before=now + pause,
            code=verdicts.code_of(error),
            errcode=error.errcode,
            lease_holder="",
            leased_until=None,
        )

    def _give_back(self) -> None:
        """What was claimed and not asked for: the other half of a call that was halved."""
        FollowerTagging.objects.filter(lease_holder=self._holder).update(lease_holder="", leased_until=None)
