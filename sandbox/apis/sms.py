"""A provider of text messages: signed requests, approved signatures and templates. No real provider's protocol, but
what they have in common.

`POST /sms/send`, JSON `{"phone", "sign", "template", "params", "out_id"}` with the headers `X-Key-Id`, `X-Timestamp`
(Unix seconds, at most five minutes off) and `X-Signature`: hex HMAC-SHA256 under the key's secret of
"<timestamp>\\n<body>". Always HTTP 200 with `{"code", "message", "biz_id"}`.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.errors import WeChatRefusal
from sandbox.faults import DroppedConnection, answer_of, draw_fault, pause
from sandbox.models import CallRecord, Fault, SmsAccount, TextMessage
from sandbox.state import World

PATH = "/sms/send"
SKEW_S = 300
KEPT = 500
LONGEST = 70  # characters of one text
PHONE = re.compile(r"1[3-9][0-9]{9}")
GAP = re.compile(r"\$\{([a-z_]+)\}")
TEXTS = {
    "bad_key": "unknown key",
    "bad_signature": "the signature does not fit",
    "bad_timestamp": "the timestamp is too far off",
    "bad_request": "not readable",
    "bad_phone": "not a mobile number",
    "bad_sign": "the sign was not approved",
    "bad_template": "the template was not approved, or its gaps are not those given",
    "too_long": "over 70 characters",
    "system_busy": "busy",
    "throttled": "too fast",
    "day_limit": "daily limit reached",
}
# The faults that WeChat's side answers with an errcode, in this provider's words.
FAULTS = {-1: "system_busy", 40001: "bad_signature", 45009: "day_limit", 45011: "throttled"}


class Refused(Exception):
    """The provider says no."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def check_key(world: World, request: Request, raw: bytes) -> SmsAccount:
    """Return whose request this is."""
    account = world.sms_accounts.get(request.headers.get("x-key-id", ""))
    if account is None:
        raise Refused("bad_key")
    stamp = request.headers.get("x-timestamp", "")
    if not stamp.isdigit() or abs(int(stamp) - time.time()) > SKEW_S:
        raise Refused("bad_timestamp")
    proof = hmac.new(account.key_secret.encode(), f"{stamp}\n".encode() + raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(proof.encode(), request.headers.get("x-signature", "").encode()):
        raise Refused("bad_signature")
    return account


def write(account: SmsAccount, body: dict[str, Any]) -> str:
    """Return the whole text, the sign in front as phones show it."""
    sign, params = body.get("sign"), body.get("params")
    if sign not in account.signs:
        raise Refused("bad_sign")
    template = account.templates.get(str(body.get("template")))
    if template is None or not isinstance(params, dict) or set(GAP.findall(template)) != set(params):
        raise Refused("bad_template")
    text = f"【{sign}】" + GAP.sub(lambda gap: str(params[gap[1]]), template)
    if len(text) > LONGEST:
        raise Refused("too_long")
    return text


def deliver(world: World, request: Request, raw: bytes) -> TextMessage:
    """Check everything and put the text onto the phone."""
    account = check_key(world, request, raw)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused("bad_request") from error
    if not isinstance(body, dict):
        raise Refused("bad_request")
    phone = body.get("phone")
    if not isinstance(phone, str) or not PHONE.fullmatch(phone):
        raise Refused("bad_phone")
    text = TextMessage(
        biz_id=f"{int(world.now() * 1000)}^{secrets.token_hex(4)}",
        phone=phone,
        sign=str(body.get("sign")),
        text=write(account, body),
        at=world.now(),
        out_id=str(body.get("out_id", ""))[:80],
    )
    world.texts[text.biz_id] = text
    for old in list(world.texts)[:-KEPT]:
        del world.texts[old]
    world.touch()
    world.hub.publish("text", vars(text))
    return text


async def answer(world: World, request: Request, raw: bytes, fault: Fault | None) -> Response:
    """Answer one request, or do what the fault says."""
    try:
        if fault is not None:
            if fault.delay_s:
                await pause(world, fault.delay_s)
            instead = answer_of(fault)
            if instead is not None:
                return instead
        text = deliver(world, request, raw)
    except (Refused, WeChatRefusal) as refusal:
        code = refusal.code if isinstance(refusal, Refused) else FAULTS[refusal.errcode]
        return JSONResponse({"code": code, "message": TEXTS[code], "biz_id": ""})
    if fault is not None and fault.kind == "accept_then_drop":
        return DroppedConnection()
    return JSONResponse({"code": "OK", "message": "OK", "biz_id": text.biz_id})


def route(world: World) -> Route:
    """Return the one route of the provider."""

    async def view(request: Request) -> Response:
        started = time.perf_counter()
        raw = await request.body()
        key_id = request.headers.get("x-key-id", "")
        fault = draw_fault(world, "calls", PATH, key_id)
        response = await answer(world, request, raw, fault)
        is_ok = response.status_code == 200 and b'"code":"OK"' in bytes(getattr(response, "body", b""))
        world.log_call(
            CallRecord(
                id=world.serial("call"),
                at=world.now(),
                app_id=key_id if key_id in world.sms_accounts else "",
                method="POST",
                path=PATH,
                status=0 if isinstance(response, DroppedConnection) else response.status_code,
                errcode=0 if is_ok else 1,
                errmsg="" if is_ok else "refused",
                latency_ms=round((time.perf_counter() - started) * 1000),
                fault=fault.kind if fault else "",
                summary="",
            )
        )
        world.touch()
        return response

    return Route(PATH, view, methods=["POST"])
