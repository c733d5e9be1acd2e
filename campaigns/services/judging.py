"""From what WeChat said of a send to what becomes of the reach."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction

from campaigns.models import ReachBar, ReachState
from campaigns.services.grants import empty_grants, return_grants
from campaigns.services.marking import grant_key
from campaigns.services.planning import Way
from campaigns.services.rows import Held, Verdict, settle
from campaigns.services.texting import note_costs
from core import clock
from wechat.contracts import REPEAT_SAFE_FOR, SendOutcome

NO_GRANT: Final = "wechat.no_grant"
# She cannot be written to over this account until she acts again.
_BARRING: Final = frozenset({"wechat.blocked", "wechat.not_follower", "wechat.unknown_user"})
# How long a halt that only a person can lift is waited for before it is asked again.
_HALT_PAUSE: Final = dt.timedelta(minutes=10)
_REPEAT_PAUSE: Final = dt.timedelta(seconds=5)


def record_outcomes(*, sent: Sequence[tuple[Way, SendOutcome]], holder: str) -> list[Held]:
    """What WeChat said stands on the rows, bars and consents; those that stay in hand for the next channel."""
    at = clock.now()
    verdicts = [judge(way=way, outcome=outcome, at=at) for way, outcome in sent]
    with transaction.atomic():
        settled = settle(verdicts=verdicts, holder=holder, at=at)
        mine = [(way, outcome) for way, outcome in sent if way.held.id in settled]
        _note_bars(mine, at)
        _mind_grants(mine, at)
        note_costs(mine)
    return [one.held for one in verdicts if one.keeps and one.held.id in settled]


def judge(*, way: Way, outcome: SendOutcome, at: dt.datetime) -> Verdict:
    """What becomes of the reach by itself."""
    held = way.held
    if outcome.state == "sent":
        return Verdict(held, ReachState.SENT, message_id=outcome.message_id, went=True, channel=way.channel)
    if outcome.state == "uncertain":
        return _uncertain(way, outcome, at)
    if held.sent_at is not None:
        return _after_doubt(way, outcome, at)
    if outcome.state == "refused":
        return _next_channel(way, outcome, at)
    return wait_or_pass(held=held, channel=way.channel, outcome=outcome, at=at)


def wait_or_pass(*, held: Held, channel: str, outcome: SendOutcome, at: dt.datetime) -> Verdict:
    """WeChat does not have it and takes it later: it waits if it is news then and she need not know now; else the next
    channel is tried."""
    if outcome.state == "halted":
        retry_at = outcome.retry_at or at + _HALT_PAUSE
        waits = held.importance != "must" and retry_at < held.expires_at
    else:
        retry_at = outcome.retry_at or at + _REPEAT_PAUSE
        waits = retry_at < held.expires_at
    if waits:
        return Verdict(held, ReachState.QUEUED, outcome.code, outcome.errcode, not_before=retry_at)
    held.note(channel, outcome.code, at, outcome.errcode)
    return Verdict(held, ReachState.QUEUED, outcome.code, outcome.errcode, keeps=True)


def _next_channel(way: Way, outcome: SendOutcome, at: dt.datetime) -> Verdict:
    way.held.note(way.channel, outcome.code, at, outcome.errcode)
    return Verdict(way.held, ReachState.QUEUED, outcome.code, outcome.errcode, keeps=True)


def _uncertain(way: Way, outcome: SendOutcome, at: dt.datetime) -> Verdict:
    """Repeated only where WeChat knows the repeat by its id, and only while it does."""
    held = way.held
    first = held.sent_at or at
    pause = _REPEAT_PAUSE * 2 ** min(max(held.attempt_count - 1, 0), 5)
    again_at = at + pause
    if outcome.is_repeatable and again_at < first + REPEAT_SAFE_FOR:
        return Verdict(
            held, ReachState.QUEUED, outcome.code, outcome.errcode, not_before=again_at, went=True, channel=way.channel
        )  # fmt: skip
    return Verdict(held, ReachState.UNCERTAIN, outcome.code, outcome.errcode, went=True, channel=way.channel)


def _after_doubt(way: Way, outcome: SendOutcome, at: dt.datetime) -> Verdict:
    """A repeat that did not get through says nothing of the first try, which may have: no other channel is used."""
    held = way.held
    retry_at = outcome.retry_at or at + _REPEAT_PAUSE
    assert held.sent_at is not None
    if outcome.state == "later" and retry_at < held.sent_at + REPEAT_SAFE_FOR:
        return Verdict(
            held, ReachState.QUEUED, outcome.code, outcome.errcode, not_before=retry_at, went=True, channel=way.channel
        )  # fmt: skip
    return Verdict(held, ReachState.UNCERTAIN, outcome.code, outcome.errcode, went=True, channel=way.channel)


def _note_bars(sent: Iterable[tuple[Way, SendOutcome]], at: dt.datetime) -> None:
    bars = {
        (way.member_id, way.account_id): outcome.code
        for way, outcome in sent
        if outcome.state == "refused" and outcome.code in _BARRING
    }
    ReachBar.objects.bulk_create(
        [
            ReachBar(member_id=member_id, account_id=account_id, code=code, barred_at=at)
            for (member_id, account_id), code in sorted(bars.items())
        ],
        update_conflicts=True,
        unique_fields=["member", "account"],
        update_fields=["code", "barred_at"],
    )


def _mind_grants(sent: Iterable[tuple[Way, SendOutcome]], at: dt.datetime) -> None:
    """What surely did not go out gives the consent back; what WeChat says is spent is none."""
    spent = [
        (way.consent, grant_key(way=way, attempt=way.held.attempt_count))
        for way, outcome in sent
        if outcome.code == NO_GRANT and way.consent is not None
    ]
    unused = [
        (way.grant, grant_key(way=way, attempt=way.held.attempt_count))
        for way, outcome in sent
        if outcome.state in {"refused", "later", "halted"}
        and outcome.code != NO_GRANT
        and way.grant is not None
    ]
    if unused:
        return_grants(unused=unused, at=at)
    if spent:
        empty_grants(spent=spent, at=at)
