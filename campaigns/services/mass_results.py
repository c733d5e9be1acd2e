"""What became of a mass message that WeChat took: told, asked for, and taken back where WeChat does that."""

import datetime as dt
import logging
from typing import Final

from django.db import transaction

from campaigns.contracts.mass import REJECTED
from campaigns.errors import MassChanged, MassNoLongerKnown, MassNotDeletable
from campaigns.events import MassConfirmed
from campaigns.models import MassKind, MassMessage, MassState
from campaigns.services.mass_parts import sum_up, sum_up_open
from campaigns.services.mass_sending import ASK_AFTER
from campaigns.services.mass_writing import get_mass_message
from core import audit, clock, events
from core.actor import Actor
from core.errors import Refusal, Unavailable
from wechat.events import MassSettled
from wechat.services import mass

logger = logging.getLogger(__name__)

_ASK_FOR: Final = dt.timedelta(days=3)
# So long an asked-again message may still go out.
_SECOND_CHANCE: Final = dt.timedelta(minutes=10)
_AWAITED: Final = (MassState.SENT, MassState.FINISHED, MassState.REJECTED)


def settle_mass_message(*, told: MassSettled) -> bool:
    """The result is with its message; False for one that is not ours (sent in WeChat's console). Told twice it is the same.

    WeChat may be faster than the sender's own note of its id: while one of the account is under way it raises Unavailable,
    and the push is looked at again.
    """
    mine = MassMessage.objects.filter(account_id=told.account_id)
    with transaction.atomic():
        rows = mine.filter(message_id=told.message_id).lock_rows() if told.message_id else []
        if rows and not _settle(rows[0], told):
            return False
    if rows:
        if rows[0].whole_id is not None:
            sum_up(rows[0].whole_id)
        return True
    if mine.itself_sent().filter(state=MassState.SENDING).exists():
        raise Unavailable
    return False


def _settle(row: MassMessage, told: MassSettled) -> bool:
    if row.state not in _AWAITED:
        return False
    row.state = MassState.FINISHED if told.is_sent else MassState.REJECTED
    row.code, row.errcode = ("", None) if told.is_sent else (REJECTED, told.reason or None)
    row.total_count, row.filtered_count = told.total_count, told.filtered_count
    row.reached_count, row.error_count = told.reached_count, told.error_count
    row.copyright_state = min(told.copyright_state, 9)
    row.settled_at = clock.from_unix(told.at)
    row.save(
        update_fields=[
            "state", "code", "errcode", "total_count", "filtered_count", "reached_count", "error_count",
            "copyright_state", "settled_at",
        ]
    )  # fmt: skip
    return True


def ask_overdue_results() -> int:
    """Of those WeChat took and told no result for half an hour it is asked, for three days; how many were settled. It
    tells the state only, no numbers."""
    now = clock.now()
    overdue = MassMessage.objects.unsettled(now).filter(sent_at__gt=now - _ASK_FOR)
    settled = 0
    for row in list(overdue.order_by("not_before", "pk")):
        waiting = MassMessage.objects.filter(pk=row.pk, state=MassState.SENT)
        try:
            found = mass.find_mass_state(account_id=row.account_id, message_id=row.message_id)
        except Refusal as refusal:
            logger.warning("campaigns.mass_not_asked", extra={"message_id": row.pk, "code": refusal.code})
            found = "unknown"
        if found in ("sent", "deleted"):
            settled += waiting.update(state=MassState.FINISHED, settled_at=now)
        elif found == "failed":
            settled += waiting.update(state=MassState.REJECTED, settled_at=now, code=REJECTED)
        else:
            waiting.update(not_before=now + ASK_AFTER)
    sum_up_open()
    return settled


def delete_mass_message(*, message_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Its article opens no more; who has it keeps the card. Refuses (MassNotDeletable) what has not gone out or is no
    article; raises WeChatAway, WeChatRefused. Doing it again after a lost answer is the same. Not inside a transaction."""
    row = get_mass_message(message_id)
    has_gone = row.state in (MassState.SENT, MassState.FINISHED)
    gone = [one.message_id for one in _sent_rows(row) if one.message_id]
    if row.kind != MassKind.ARTICLE or not has_gone or not gone:
        raise MassNotDeletable
    for taken_back in gone:
        mass.delete_mass(account_id=row.account_id, message_id=taken_back)
    now = at or clock.now()
    with transaction.atomic():
        fresh = MassMessage.objects.lock(row.pk)
        if fresh.deleted_at is not None:
            return
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])
        audit.record(action="campaigns.mass_deleted", subject=fresh, actor=actor, at=now)


def ask_again(*, message_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A message of which nobody knows whether it went is sent again under its own id: WeChat tells the first one's, or
    sends it now. Refuses any other (MassChanged), and one whose id WeChat may have forgotten (MassNoLongerKnown)."""
    now = at or clock.now()
    with transaction.atomic():
        row = MassMessage.objects.lock(message_id)
        if row.state != MassState.UNCERTAIN:
            raise MassChanged
        asked = [one for one in _sent_rows(row) if one.state == MassState.UNCERTAIN]
        known = [one for one in asked if _is_known(one, now)]
        if not known:
            raise MassNoLongerKnown
        for one in known:
            one.state, one.not_before, one.send_until = MassState.SENDING, now, now + _SECOND_CHANCE
            one.save(update_fields=["state", "not_before", "send_until"])
            events.publish(MassConfirmed(message_id=one.pk))
        audit.record(action="campaigns.mass_asked_again", subject=row, actor=actor, at=now)
    if row.part_count:
        sum_up(row.pk)


def _sent_rows(row: MassMessage) -> list[MassMessage]:
    """What was sent of it: its parts, or itself."""
    if not row.part_count:
        return [row]
    return list(MassMessage.objects.filter(whole=row).order_by("pk"))


def _is_known(row: MassMessage, now: dt.datetime) -> bool:
    """WeChat still knows the id of its first try, for long enough."""
    return row.first_tried_at is not None and now + _SECOND_CHANCE < row.first_tried_at + mass.KNOWN_FOR
