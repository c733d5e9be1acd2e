"""Parametric QR codes of an official account. Official page "create a parametric QR code"."""

import datetime as dt
import re
from typing import Any, Final

from django.db.models import F

from core import clock
from core.errors import InvalidInput
from core.outside import refuse_open_transaction
from wechat.client.errors import UnreadableAnswer, WeChatError
from wechat.contracts import CodeBudget, QrTicket
from wechat.errors import CodeBudgetSpent
from wechat.models import PermanentCodeBudget
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal

LONGEST_LIFE_S: Final = 2_592_000  # 30 days
SHORTEST_LIFE_S: Final = 60
_SCENE: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_BUDGET_SPENT: Final = 45029


def create_code(
    *, account_id: int, scene: str, is_permanent: bool, expire_seconds: int = LONGEST_LIFE_S
) -> QrTicket:
    """A code that brings `scene` back when it is scanned; `url` is what its picture must hold.

    Refuses a scene that is not 1–64 of letters, digits, `_`, `-` and a life outside 60 s – 30 days
    (InvalidInput); a permanent code beyond the account's budget (CodeBudgetSpent). Raises WeChatAway or
    WeChatRefused. A permanent code is reserved in the budget first and given back only when WeChat surely
    made none: WeChat has no call that deletes one, so counting one too many is the safe side.
    """
    refuse_open_transaction()
    if not _SCENE.fullmatch(scene):
        raise InvalidInput(field="scene")
    if not is_permanent and not SHORTEST_LIFE_S <= expire_seconds <= LONGEST_LIFE_S:
        raise InvalidInput(field="expire_seconds")
    client = client_for(account_id)
    request: dict[str, Any] = {
        "action_name": "QR_LIMIT_STR_SCENE" if is_permanent else "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": scene}},
    }
    if is_permanent:
        _reserve(account_id)
    else:
        request["expire_seconds"] = expire_seconds
    asked_at = clock.now()
    try:
        return _read_ticket(client.qrcode.create(request), asked_at)
    except WeChatError as error:
        if is_permanent and error.surely_not_done:
            _give_back(account_id)
        if error.errcode == _BUDGET_SPENT:
            raise CodeBudgetSpent from error
        raise to_refusal(error) from error


def fetch_code_image(*, account_id: int, ticket: str) -> bytes:
    """WeChat's own picture (JPEG) of a ticket. Raises WeChatAway, or WeChatRefused for an unknown ticket."""
    try:
        content: bytes = client_for(account_id).qrcode.show(ticket).content
    except WeChatError as error:
        raise to_refusal(error) from error
    return content


def get_code_budget(account_id: int) -> CodeBudget:
    """How many permanent codes are spent and left; the full budget for an account that made none."""
    row = PermanentCodeBudget.objects.filter(pk=account_id).first() or PermanentCodeBudget(
        account_id=account_id
    )
    return CodeBudget(cap=row.cap, spent_count=row.spent_count)


def _reserve(account_id: int) -> None:
    PermanentCodeBudget.objects.get_or_create(account_id=account_id)
    spent = PermanentCodeBudget.objects.filter(pk=account_id, spent_count__lt=F("cap")).update(
        spent_count=F("spent_count") + 1
    )
    if not spent:
        raise CodeBudgetSpent


def _give_back(account_id: int) -> None:
    PermanentCodeBudget.objects.filter(pk=account_id, spent_count__gt=0).update(
        spent_count=F("spent_count") - 1
    )


def _read_ticket(answer: dict[str, Any], asked_at: dt.datetime) -> QrTicket:
    ticket, url, lifetime_s = answer.get("ticket"), answer.get("url"), answer.get("expire_seconds")
    if not isinstance(ticket, str) or not isinstance(url, str):
        raise UnreadableAnswer("/cgi-bin/qrcode/create", errmsg="no ticket in the answer")
    expires_at = asked_at + dt.timedelta(seconds=lifetime_s) if isinstance(lifetime_s, int) else None
    return QrTicket(ticket=ticket, url=url, expires_at=expires_at)
