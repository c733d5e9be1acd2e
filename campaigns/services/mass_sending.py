"""Sending mass messages: each once, whatever dies on the way.

A worker takes a message under a lease, says in its row that it is on its way, and only then calls. A message that is found
on its way may have gone out: it is sent again under its own id, and WeChat, which knows that id for a day, answers with the
first one's. What WeChat surely did not take waits, or fails for a person to see.
"""

import datetime as dt
import logging
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from campaigns.contracts.mass import MISSED, NOBODY, TAG_GONE, UNRESOLVED
from campaigns.errors import MassNobody, MassTagGone
from campaigns.models import MassAudienceKind, MassMessage, MassRecipient, MassState
from campaigns.selectors.mass import judge_list
from campaigns.selectors.policy import get_policy
from campaigns.services.mass_confirming import refresh_audience, refuse_unsendable
from campaigns.services.mass_parts import sum_up, sum_up_open
from campaigns.services.mass_writing import content_of
from core import clock
from core.errors import NotFound
from core.leases import LeaseLost, give_lease_back, keep_lease, take_lease
from core.outside import refuse_open_transaction
from wechat.contracts import SendOutcome
from wechat.services import mass, verdicts
from wechat.services.mass import MassAudience

logger = logging.getLogger(__name__)

# WeChat wants a minute between two sends under one id (45066); the pauses grow to the longest.
_PAUSE: Final = dt.timedelta(seconds=60)
_LONGEST_PAUSE: Final = dt.timedelta(minutes=10)
# WeChat tells the result within minutes; then it is asked.
ASK_AFTER: Final = dt.timedelta(minutes=30)


def send_due_mass_messages() -> int:
    """Those whose time has come, and those nobody knows the end of; how many were taken in hand."""
    due = MassMessage.objects.due(clock.now()).order_by("not_before", "pk").values_list("pk", flat=True)
    ids = list(due)
    for message_id in ids:
        send_mass_message(message_id)
    sum_up_open()
    return len(ids)


def send_mass_message(message_id: int) -> str:
    """Send it if it is due and nobody else is at it; its state afterwards. Raises NotFound."""
    refuse_open_transaction()
    mine = MassMessage.objects.filter(pk=message_id)
    holder = take_lease(MassMessage.objects.due(clock.now()).filter(pk=message_id))
    if holder is not None:
        try:
            _work(mine.get(), mine, holder)
        except LeaseLost:
            logger.warning("campaigns.mass_lease_lost", extra={"message_id": message_id})
        give_lease_back(mine, holder=holder)
        _tell_whole(mine)
    state = mine.values_list("state", flat=True).first()
    if state is None:
        raise NotFound
    return state


def _tell_whole(mine: QuerySet[MassMessage]) -> None:
    whole_id = mine.values_list("whole_id", flat=True).first()
    if whole_id is not None:
        sum_up(whole_id)


def _work(row: MassMessage, mine: QuerySet[MassMessage], holder: str) -> None:
    now = clock.now()
    is_doubtful = row.state == MassState.SENDING
    if _is_too_late(row, now):
        _write(mine, holder, **_end(row, MassState.UNCERTAIN if is_doubtful else MassState.FAILED, MISSED))
        return
    extra: dict[str, str] = {}
    try:
        if is_doubtful:
            openids, extra = _mark_repeat(row, mine, holder)
        else:
            openids = _mark(row, mine, holder, now)
    except (MassNobody, MassTagGone) as refusal:
        code = TAG_GONE if isinstance(refusal, MassTagGone) else NOBODY
        _write(mine, holder, **_end(row, MassState.UNCERTAIN if is_doubtful else MassState.FAILED, code))
        return
    outcome = mass.send_mass(
        account_id=row.account_id,
        content=content_of(row),
        audience=MassAudience(openids, row.tag_id),
        client_msg_id=row.client_msg_id,
    )
    _record(row, mine, holder, outcome, is_doubtful=is_doubtful, left_out=extra)


def _is_too_late(row: MassMessage, now: dt.datetime) -> bool:
    """Its hours are over, or the night has begun, or WeChat may have forgotten its id."""
    if row.send_until is None or now >= row.send_until:
        return True
    if row.first_tried_at is not None and now >= row.first_tried_at + mass.KNOWN_FOR:
        return True
    quiet = get_policy().quiet
    return quiet is not None and quiet.end_of(now) is not None


def _mark(row: MassMessage, mine: QuerySet[MassMessage], holder: str, now: dt.datetime) -> list[str] | None:
    """Who gets it is decided now, and the row says it is on its way: whoever finds it so knows that it may have gone.
    The list's openids; None for a tag and for everybody."""
    openids = None
    judged: dict[str, str] = {}
    if row.audience == MassAudienceKind.LIST:
        judged = judge_list(row)
        openids = [openid for openid, code in judged.items() if not code]
        if len(openids) < mass.FEWEST_OPENIDS:
            raise MassNobody
    else:
        refuse_unsendable(message=row, reach=refresh_audience(row))
    with transaction.atomic():
        keep_lease(
            mine,
            holder=holder,
            state=MassState.SENDING,
            first_tried_at=now,
            attempt_count=F("attempt_count") + 1,
        )
        _leave_out(row, judged)
    return openids


def _mark_repeat(
    row: MassMessage, mine: QuerySet[MassMessage], holder: str
) -> tuple[list[str] | None, dict[str, str]]:
    """The list of the first try without those who may not be written to any more, and these. They are written down as
    left out only when this send is the one that counts. Raises MassNobody when too few are left."""
    openids: list[str] | None = None
    gone: dict[str, str] = {}
    if row.audience == MassAudienceKind.LIST:
        first = row.recipients.filter(left_out="").order_by("pk").values_list("openid", flat=True)
        judged = judge_list(row, known=list(first))
        gone = {openid: code for openid, code in judged.items() if code}
        openids = [openid for openid in judged if openid not in gone]
        if len(openids) < mass.FEWEST_OPENIDS:
            raise MassNobody
    _write(mine, holder, attempt_count=F("attempt_count") + 1)
    return openids, gone


def _leave_out(row: MassMessage, judged: dict[str, str]) -> None:
    """Each openid's reason, "" for who gets it; a handful of reasons, a statement for each."""
    for code in set(judged.values()):
        openids = [openid for openid, reason in judged.items() if reason == code]
        MassRecipient.objects.filter(message=row, openid__in=openids).update(left_out=code)


def _record(
    row: MassMessage,
    mine: QuerySet[MassMessage],
    holder: str,
    outcome: SendOutcome,
    *,
    is_doubtful: bool,
    left_out: dict[str, str],
) -> None:
    """What the attempt came to. After a doubtful one only WeChat's word that it took it ends the doubt: a refusal of the
    second send says nothing of the first."""
    now = clock.now()
    if outcome.state == "sent":
        is_new = outcome.errcode != verdicts.ALREADY_SENT
        _write(
            mine,
            holder,
            row=row,
            left_out=left_out if is_new else {},
            state=MassState.SENT,
            sent_at=now,
            message_id=outcome.message_id,
            not_before=now + ASK_AFTER,
            code="",
            errcode=None,
        )
    elif outcome.state == "uncertain" or (is_doubtful and outcome.state == "later"):
        pause = min(_PAUSE * (row.attempt_count + 1), _LONGEST_PAUSE)
        _write(
            mine,
            holder,
            not_before=max(now + pause, outcome.retry_at or now),
            code=outcome.code,
            errcode=outcome.errcode,
        )
    elif is_doubtful:
        _write(mine, holder, **_end(row, MassState.UNCERTAIN, outcome.code, outcome.errcode))
    elif outcome.state == "later":
        _write(
            mine,
            holder,
            state=MassState.CONFIRMED,
            first_tried_at=None,
            not_before=max(now + dt.timedelta(seconds=1), outcome.retry_at or now),
            code=outcome.code,
            errcode=outcome.errcode,
        )
    else:
        _write(mine, holder, **_end(row, MassState.FAILED, outcome.code, outcome.errcode))


def _end(row: MassMessage, state: MassState, code: str, errcode: int | None = None) -> dict[str, Any]:
    """It goes no further by itself. What is said of an unknown end is why it is unknown, where a reason is known."""
    if state == MassState.UNCERTAIN and code == MISSED:
        code, errcode = row.code or UNRESOLVED, row.errcode
    logger.warning(
        "campaigns.mass_not_sent", extra={"message_id": row.pk, "state": state.value, "code": code}
    )
    return {"state": state, "code": code, "errcode": errcode}


def _write(
    mine: QuerySet[MassMessage],
    holder: str,
    *,
    row: MassMessage | None = None,
    left_out: dict[str, str] | None = None,
    **changes: Any,
) -> None:
    """The row is so, while it is this worker's. Raises LeaseLost when it is not."""
    with transaction.atomic():
        keep_lease(mine, holder=holder, **changes)
        if row is not None and left_out:
            _leave_out(row, left_out)
