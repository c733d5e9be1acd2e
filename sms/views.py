"""Where the provider tells what became of texts, and what people answered.

It signs nothing; who knows the key in the address is believed. Official pages "SMS delivery callback" and "SMS reply
callback". A 200 with result 0 says that it is kept; anything else, that it is to be told again.
"""

import datetime as dt
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core import clock
from sms import services
from sms.contracts import ReceiptTold, ReplyTold

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 1024 * 1024
MOST_RECEIPTS: Final = 2_000
_COUNTRIES: Final = frozenset({"86", ""})


@csrf_exempt
@require_POST
def take_report(request: HttpRequest, key: str) -> JsonResponse:
    """A list is receipts, an object is one reply."""
    expected = settings.SMS_CALLBACK_KEY
    if not expected or not hmac.compare_digest(key.encode(), expected.encode()):
        logger.warning("sms.report_refused", extra={"reason": "key"})
        return _answer(403, "refused")
    told = _read(request)
    try:
        if isinstance(told, list) and told and len(told) <= MOST_RECEIPTS:
            receipts = [_receipt(one) for one in told if isinstance(one, dict)]
            services.store_receipts(told=[one for one in receipts if one is not None])
        elif isinstance(told, dict) and isinstance(told.get("mobile"), str):
            services.store_replies(told=[_reply(told)] if _is_ours(told) else [])
        else:
            logger.warning("sms.report_refused", extra={"reason": "unreadable"})
            return _answer(400, "unreadable")
    except DatabaseError:
        logger.exception("sms.report_not_stored")
        return _answer(503, "try again")
    return _answer(200, "OK")


def _answer(status: int, words: str) -> JsonResponse:
    return JsonResponse({"result": 0 if status == 200 else status, "errmsg": words}, status=status)


def _read(request: HttpRequest) -> Any:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BYTES:
        return None
    try:
        return json.loads(request.read(MOST_BYTES + 1))
    except (ValueError, RecursionError):
        return None


def _receipt(one: Mapping[str, Any]) -> ReceiptTold | None:
    """One receipt; None for one that names no text."""
    message_id = one.get("sid")
    if not isinstance(message_id, str) or not message_id or "\0" in message_id:
        return None
    code = str(one.get("errmsg", "")).replace("\0", "")[:40]
    return ReceiptTold(message_id, one.get("report_status") == "SUCCESS", code, _moment(one))


def _moment(one: Mapping[str, Any]) -> dt.datetime:
    """An instant in Shanghai's time; now where it tells none that can be."""
    now = clock.now()
    try:
        here = dt.datetime.strptime(f"{one.get('user_receive_time', '')} +0800", "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return now
    told = here.astimezone(dt.UTC)
    return told if now - dt.timedelta(days=7) < told < now + dt.timedelta(days=1) else now


def _is_ours(told: Mapping[str, Any]) -> bool:
    return str(told.get("nationcode", "")) in _COUNTRIES and isinstance(told.get("text"), str)


def _reply(told: Mapping[str, Any]) -> ReplyTold:
    now = clock.now()
    seconds = told.get("time")
    is_near = isinstance(seconds, int) and abs(now.timestamp() - seconds) < 7 * 86_400
    return ReplyTold(told["mobile"], told["text"], clock.from_unix(int(seconds or 0)) if is_near else now)
