"""A list longer than WeChat takes at once goes in parts: each a message of its own, under an id of its own, with its own end.
The whole is what people see; it is never sent itself, and its state and numbers are those of its parts together."""

import secrets
from collections import Counter
from typing import Final

from django.db import transaction
from django.db.models import Sum

from campaigns.contracts.mass import PARTS_FAILED
from campaigns.models import MassAudienceKind, MassMessage, MassRecipient, MassState
from core import clock
from wechat.services import mass

# A tenth of the hundred calls a day.
LONGEST_LIST: Final = 10 * mass.MOST_OPENIDS
_COPIED: Final = (
    "account_id", "name", "kind", "text", "picture", "article_media_id", "article_title", "purpose", "audience", "list_name",
    "state", "revision", "written_by_id", "written_by", "written_at", "confirmed_by_id", "confirmed_by", "confirmed_at",
    "is_alone_allowed", "expected_count", "send_at", "not_before", "send_until",
)  # fmt: skip
_OPEN: Final = (MassState.CONFIRMED, MassState.SENDING, MassState.SENT, MassState.UNCERTAIN)
_COUNTS: Final = ("total_count", "filtered_count", "reached_count", "error_count")


def split_list(whole: MassMessage) -> list[int]:
    """The ids that are to be sent: those of its parts where its list is too long for one call, else its own. In the
    transaction that confirms it, with its row locked."""
    if whole.audience != MassAudienceKind.LIST:
        return [whole.pk]
    ids = list(whole.recipients.order_by("pk").values_list("pk", flat=True))
    if len(ids) <= mass.MOST_OPENIDS:
        return [whole.pk]
    count = -(-len(ids) // mass.MOST_OPENIDS)
    size = -(-len(ids) // count)  # even parts: WeChat takes no list of one
    values = {name: getattr(whole, name) for name in _COPIED}
    parts = MassMessage.objects.bulk_create(
        MassMessage(whole=whole, client_msg_id=secrets.token_hex(16), **values) for _number in range(count)
    )
    for number, part in enumerate(parts):
        MassRecipient.objects.filter(pk__in=ids[number * size : (number + 1) * size]).update(message=part)
    whole.part_count = count
    whole.save(update_fields=["part_count"])
    return [part.pk for part in parts]


def join_parts(*, whole: MassMessage, allowed: set[MassState]) -> bool:
    """The list is the whole's again and its parts are gone; False when one of them is going, or has gone. With the whole's
    row locked."""
    parts = list(MassMessage.objects.filter(whole=whole).order_by("pk").lock_rows())
    now = clock.now()
    if any(
        part.state not in allowed or (part.leased_until is not None and part.leased_until > now)
        for part in parts
    ):
        return False
    MassRecipient.objects.filter(message__whole=whole).update(message=whole)
    MassMessage.objects.filter(whole=whole).delete()
    whole.part_count = 0
    whole.save(update_fields=["part_count"])
    return True


def sum_up(whole_id: int) -> None:
    """The whole's state and numbers are those of its parts together."""
    with transaction.atomic():
        whole = MassMessage.objects.lock(whole_id)
        parts = list(MassMessage.objects.filter(whole=whole))
        if not parts:
            return
        whole.state = _state_of(parts)
        failed = next((part for part in parts if part.state in (MassState.FAILED, MassState.REJECTED)), None)
        if failed is None:
            whole.code, whole.errcode = "", None
        elif whole.state in (MassState.FAILED, MassState.REJECTED):
            whole.code, whole.errcode = failed.code, failed.errcode
        else:
            whole.code, whole.errcode = PARTS_FAILED, failed.errcode
        sums = MassMessage.objects.filter(whole=whole).aggregate(**{name: Sum(name) for name in _COUNTS})
        for name in _COUNTS:
            setattr(whole, name, sums[name])
        whole.first_tried_at = min((p.first_tried_at for p in parts if p.first_tried_at), default=None)
        whole.sent_at = min((part.sent_at for part in parts if part.sent_at), default=None)
        is_over = whole.state in (MassState.FINISHED, MassState.REJECTED)
        settled = [part.settled_at for part in parts if part.settled_at]
        whole.settled_at = max(settled) if is_over and settled else None
        whole.copyright_state = max(part.copyright_state for part in parts)
        whole.save(
            update_fields=["state", "code", "errcode", *_COUNTS, "first_tried_at", "sent_at", "settled_at", "copyright_state"]
        )  # fmt: skip


def sum_up_open() -> None:
    """The same of all that are not over: of a worker that died between a part and its whole nothing else tells."""
    for whole_id in list(
        MassMessage.objects.filter(part_count__gt=0, state__in=_OPEN).values_list("pk", flat=True)
    ):
        sum_up(whole_id)


def count_parts(whole: MassMessage) -> dict[str, int]:
    """How many parts are in which state."""
    return Counter(MassMessage.objects.filter(whole=whole).values_list("state", flat=True))


def _state_of(parts: list[MassMessage]) -> MassState:
    """What is still to come says more than what is over, and what nobody knows more than what went."""
    states = {MassState(part.state) for part in parts}
    if states == {MassState.CONFIRMED}:
        return MassState.CONFIRMED
    if states & {MassState.CONFIRMED, MassState.SENDING}:
        return MassState.SENDING
    for state in (MassState.UNCERTAIN, MassState.SENT, MassState.FINISHED, MassState.REJECTED):
        if state in states:
            return state
    return MassState.FAILED
