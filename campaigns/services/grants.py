"""The ledger of consents to subscription messages: one each time she agrees, less one each time one goes out.

A consent is told twice: by the mini-program at once, and by WeChat's push a moment later. Whoever comes second finds the
entry of the first and notes itself there, so that it counts once. Either may be lost or repeated.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import F

from campaigns.contracts import GrantAnswer
from campaigns.models import GrantEntry, GrantReason, SubscriptionGrant
from campaigns.selectors.grants import known_template_ids
from campaigns.selectors.standing import GrantKey
from core import clock
from core.compiled import ask
from core.crypto import digest
from wechat.services import accounts

# How far apart the two tellers of one consent may be.
ECHO_WITHIN: Final = dt.timedelta(minutes=5)
# What one pop-up of WeChat's may ask for at once.
MOST_ASKED: Final = 5

# Locked in the order of their ids, so that two who take from the same never wait for each other in a ring.
_TAKE: Final = """
WITH wanted AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(openids)s::text[], %(templates)s::text[], %(keys)s::text[])
        AS one (account_id, openid, template_id, key)
), locked AS (
    SELECT held.id, wanted.* FROM campaigns_subscriptiongrant held JOIN wanted USING (account_id, openid, template_id)
    ORDER BY held.id FOR NO KEY UPDATE OF held
), taken AS (
    UPDATE campaigns_subscriptiongrant held SET count = held.count - 1 FROM locked
    WHERE held.id = locked.id AND held.count > 0
    RETURNING held.id, locked.account_id, locked.openid, locked.template_id, locked.key
), written AS (
    INSERT INTO campaigns_grantentry (grant_id, delta, reason, source_key, at)
    SELECT id, -1, 'sent', key, %(at)s::timestamptz FROM taken
)
SELECT account_id, openid, template_id FROM taken
"""


def report_answers(
    *,
    app_id: str,
    openid: str,
    request_key: str,
    answers: Sequence[GrantAnswer],
    at: dt.datetime | None = None,
) -> None:
    """What the mini-program says she answered in the pop-up counts, once for the request. A refusal there changes
    nothing: she may still have consents from before. Templates that no topic uses are left out. Raises NoAccount."""
    at = at or clock.now()
    account_id = accounts.get_mini_program(app_id).id
    known = known_template_ids(account_id)
    for answer in answers[:MOST_ASKED]:
        if answer.answer == "accept" and answer.template_id in known:
            key = digest(f"{openid}:{request_key}:{answer.template_id}")[:60]
            _accept(account_id, openid, answer.template_id, f"report:{key}", at)


def note_pushed_answer(
    *, account_id: int, openid: str, template_id: str, accepted: bool, push_key: str, at: dt.datetime
) -> None:
    """What WeChat says she answered: a consent counts once; where she switched the template off, none is left."""
    if accepted:
        _accept(account_id, openid, template_id, push_key, at)
    else:
        with transaction.atomic():
            _empty(_locked((account_id, openid, template_id)), GrantReason.REFUSED, push_key, at)


def take_grants(*, wanted: Mapping[GrantKey, str], at: dt.datetime) -> set[GrantKey]:
    """One consent of each of these is used up under the key given with it; those of which there was one. One statement for
    all; the caller's transaction holds them until it ends."""
    asked = sorted(wanted)
    accounts_of, openids, templates = ([grant[place] for grant in asked] for place in range(3))
    rows = ask(
        _TAKE,
        {
            "accounts": accounts_of,
            "openids": openids,
            "templates": templates,
            "keys": [wanted[grant] for grant in asked],
            "at": at,
        },
    )
    return {(account_id, openid, template_id) for account_id, openid, template_id in rows}


def return_grants(*, unused: Iterable[tuple[GrantKey, str]], at: dt.datetime) -> None:
    """What was taken for a message that surely did not go out is there again."""
    for grant, key in sorted(unused):
        row = _locked(grant)
        if _write(row, 1, GrantReason.RETURNED, f"{key}:back", at):
            SubscriptionGrant.objects.filter(pk=row.pk).update(count=F("count") + 1)


def empty_grants(*, spent: Iterable[tuple[GrantKey, str]], at: dt.datetime) -> None:
    """WeChat says that there is none (43101): so there is none, whatever we had counted."""
    for grant, key in sorted(spent):
        _empty(_locked(grant), GrantReason.SPENT, f"{key}:spent", at)


def _accept(account_id: int, openid: str, template_id: str, key: str, at: dt.datetime) -> None:
    with transaction.atomic():
        row = _locked((account_id, openid, template_id))
        if GrantEntry.objects.filter(source_key=key).exists():
            return
        if GrantEntry.objects.filter(echo_key=key).exists():
            return
        others = GrantEntry.objects.filter(
            grant=row,
            reason=GrantReason.ACCEPTED,
            echo_key__isnull=True,
            at__range=(at - ECHO_WITHIN, at + ECHO_WITHIN),
        )
        # Two reports are two consents; only the other teller's entry is the same one.
        side = "report:" if key.startswith("report:") else "push:"
        first = others.exclude(source_key__startswith=side).order_by("at", "pk").first()
        if first is not None:
            GrantEntry.objects.filter(pk=first.pk).update(echo_key=key)
            return
        _write(row, 1, GrantReason.ACCEPTED, key, at)
        SubscriptionGrant.objects.filter(pk=row.pk).update(count=F("count") + 1)


def _empty(row: SubscriptionGrant, reason: GrantReason, key: str, at: dt.datetime) -> None:
    if _write(row, -row.count, reason, key, at):
        SubscriptionGrant.objects.filter(pk=row.pk).update(count=0)


def _write(row: SubscriptionGrant, delta: int, reason: GrantReason, key: str, at: dt.datetime) -> bool:
    """False when this key has its entry already."""
    _entry, is_new = GrantEntry.objects.get_or_create(
        source_key=key, defaults={"grant": row, "delta": delta, "reason": reason, "at": at}
    )
    return is_new


def _locked(grant: GrantKey) -> SubscriptionGrant:
    return SubscriptionGrant.objects.lock(_of(grant).pk)


def _of(grant: GrantKey) -> SubscriptionGrant:
    account_id, openid, template_id = grant
    row, _is_new = SubscriptionGrant.objects.get_or_create(
        account_id=account_id, openid=openid, template_id=template_id
    )
    return row
