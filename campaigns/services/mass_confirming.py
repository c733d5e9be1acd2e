"""Confirming a mass message: the one who does saw what it says, how many it reaches, and when it goes."""

import contextlib
import datetime as dt
import secrets
from typing import Final

from django.db import transaction

from campaigns.contracts import MassReach
from campaigns.errors import (
    MassAtNight,
    MassChanged,
    MassNeedsSecond,
    MassNobody,
    MassTagGone,
    MassTimeUnusable,
)
from campaigns.events import MassConfirmed
from campaigns.models import MassAudienceKind, MassMessage, MassState, ReachPolicy
from campaigns.selectors.mass import estimate_reach
from campaigns.selectors.policy import get_policy
from campaigns.services.mass_parts import split_list
from core import audit, clock, events
from core.actor import Actor
from core.errors import Refusal
from wechat.services import follower_tags, mass

# A message that could not go within that time is not sent later: at another hour it is another message.
SEND_WITHIN: Final = dt.timedelta(hours=2)
_LONGEST_AHEAD: Final = dt.timedelta(days=90)
_SYNC: Final = Actor.system("mass_messages")


def refresh_audience(message: MassMessage) -> MassReach:
    """How many it would reach, the tag asked of WeChat anew; when WeChat does not answer, as it was last known. Not inside
    a transaction."""
    if message.audience == MassAudienceKind.TAG:
        with contextlib.suppress(Refusal):
            follower_tags.sync_follower_tags(account_id=message.account_id, actor=_SYNC)
    return estimate_reach(message)


def refuse_unsendable(*, message: MassMessage, reach: MassReach) -> None:
    """Raises MassTagGone, MassNobody. WeChat takes no list of one."""
    if reach.is_tag_gone:
        raise MassTagGone
    fewest = mass.FEWEST_OPENIDS if message.audience == MassAudienceKind.LIST else 1
    if reach.count < fewest:
        raise MassNobody


def needs_second_person() -> bool:
    """The chain wants another person to confirm than who wrote; so it is where nobody decided."""
    needs = ReachPolicy.objects.filter(pk=1).values_list("mass_needs_second", flat=True).first()
    return True if needs is None else needs


def confirm_mass_message(
    *,
    message_id: int,
    revision: int,
    send_at: dt.datetime | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> MassMessage:
    """It goes out at `send_at`, at once when None, under an id of its own; whom of a list it leaves out is decided then.

    Refuses another revision than the one that was seen (MassChanged), the writer where a second person is wanted
    (MassNeedsSecond), an audience of nobody (MassNobody, MassTagGone), the chain's quiet hours (MassAtNight), a time that
    is past or over 90 days ahead (MassTimeUnusable). Whether the actor may is the page's to ask.
    """
    now = at or clock.now()
    goes_at = send_at or now
    if not now <= goes_at <= now + _LONGEST_AHEAD:
        raise MassTimeUnusable(field="send_at")
    quiet = get_policy().quiet
    if quiet is not None and quiet.end_of(goes_at) is not None:
        raise MassAtNight(field="send_at")
    is_alone_allowed = not needs_second_person()
    with transaction.atomic():
        row = MassMessage.objects.lock(message_id)
        if row.state != MassState.DRAFT or row.revision != revision:
            raise MassChanged
        if not is_alone_allowed and row.written_by_id == actor.id:
            raise MassNeedsSecond
        reach = estimate_reach(row)
        refuse_unsendable(message=row, reach=reach)
        row.state, row.client_msg_id = MassState.CONFIRMED, secrets.token_hex(16)
        row.confirmed_by_id, row.confirmed_by, row.confirmed_at = actor.id, actor.label[:80], now
        row.is_alone_allowed, row.expected_count = is_alone_allowed, reach.count
        row.send_at, row.not_before, row.send_until = goes_at, goes_at, goes_at + SEND_WITHIN
        row.code, row.errcode = "", None
        row.save(
            update_fields=[
                "state", "client_msg_id", "confirmed_by_id", "confirmed_by", "confirmed_at", "is_alone_allowed",
                "expected_count", "send_at", "not_before", "send_until", "code", "errcode",
            ]
        )  # fmt: skip
        audit.record(
            action="campaigns.mass_confirmed",
            subject=row,
            actor=actor,
            at=now,
            audience=row.audience,
            expected_count=reach.count,
        )
        going = split_list(row)
        if send_at is None or send_at <= now:
            for message_id in going:
                events.publish(MassConfirmed(message_id=message_id))
    return row
