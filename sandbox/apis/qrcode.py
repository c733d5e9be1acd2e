"""Parametric QR codes: official page "create a parametric QR code"."""

import base64
import io
import secrets
from typing import Any

import segno
from PIL import Image
from starlette.responses import PlainTextResponse, Response

from sandbox.apis.gate import Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.models import QrCode

LONGEST_S = 2_592_000
DEFAULT_S = 60  # pages differ between 30 and 60; callers should always send it
# action_name: (is permanent, scene is a number, largest number)
KINDS = {
    "QR_SCENE": (False, True, 2**32 - 1),
    "QR_STR_SCENE": (False, False, 0),
    "QR_LIMIT_SCENE": (True, True, 100_000),
    "QR_LIMIT_STR_SCENE": (True, False, 0),
}


def _read_scene(body: dict[str, Any], *, is_number: bool, largest: int) -> str:
    info = body.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    if not isinstance(scene, dict):
        raise WeChatRefusal(40053)
    if is_number:
        number = scene.get("scene_id")
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= largest:
            raise WeChatRefusal(40053)
        return str(number)
    text = scene.get("scene_str")
    if not isinstance(text, str) or not 1 <= len(text) <= 64:
        raise WeChatRefusal(40053)
    return text


def _read_seconds(body: dict[str, Any]) -> int:
    seconds = body.get("expire_seconds", DEFAULT_S)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_S:
        raise WeChatRefusal(40053, "expire_seconds")
    return seconds


def _new_code(call: Call, name: str, scene: str, *, is_number: bool, seconds: int | None) -> QrCode:
    """Make a code. Tickets contain "+", "/" and "=": who does not quote them gets a 404 for the picture."""
    now = call.world.now()
    noise = base64.b64encode(b"\xfb\xff\xbf" + secrets.token_bytes(64)).decode()
    return QrCode(
        ticket=f"gQ{secrets.choice('EFGH')}{noise}",
        url=f"http://weixin.qq.com/q/{secrets.token_urlsafe(16)}",
        app_id=call.account.app_id,
        action_name=name,
        scene=scene,
        is_number=is_number,
        created_at=now,
        expires_at=None if seconds is None else now + seconds,
    )


def create_code(call: Call) -> Answer:
    """Create a code; a permanent one asked for again is the same code, and counts once."""
    body = call.json()
    name = body.get("action_name")
    if not isinstance(name, str) or name not in KINDS:
        raise WeChatRefusal(40052)
    is_permanent, is_number, largest = KINDS[name]
    scene = _read_scene(body, is_number=is_number, largest=largest)
    call.summary = f"{name} {scene}"
    if is_permanent:
        return _permanent(call, name, scene, is_number=is_number)
    seconds = _read_seconds(body)
    code = _new_code(call, name, scene, is_number=is_number, seconds=seconds)
    call.world.add_code(code)
    call.world.hub.publish("codes", {"app_id": code.app_id})
    return {"ticket": code.ticket, "expire_seconds": seconds, "url": code.url}


def _permanent(call: Call, name: str, scene: str, *, is_number: bool) -> Answer:
    count = 0
    for code in call.world.codes.values():
        if code.app_id == call.account.app_id and code.expires_at is None:
            count += 1
            if (code.action_name, code.scene) == (name, scene):
                return {"ticket": code.ticket, "url": code.url}
    if count >= call.account.permanent_qr_limit:
        raise WeChatRefusal(45029)
    code = _new_code(call, name, scene, is_number=is_number, seconds=None)
    call.world.add_code(code)
    call.world.hub.publish("codes", {"app_id": code.app_id})
    return {"ticket": code.ticket, "url": code.url}


def draw(content: str) -> bytes:
    """Return a JPEG, 430 pixels wide or a little less, with a quiet zone."""
    code = segno.make_qr(content, error="m")
    scale = 430 // (code.symbol_size(border=4)[0])
    png = io.BytesIO()
    code.save(png, kind="png", scale=scale, border=4)
    jpeg = io.BytesIO()
    Image.open(png).convert("L").save(jpeg, "JPEG", quality=90)
    return jpeg.getvalue()


def show_code(call: Call) -> Answer:
    """The picture of a ticket: no token needed, 404 for a ticket that does not exist."""
    code = call.world.codes.get(call.query.get("ticket", ""))
    if code is None or code.page is not None:
        return PlainTextResponse("Not Found", 404)
    call.app_id = code.app_id
    call.summary = code.scene
    return Response(draw(code.url), media_type="image/jpg")


ENDPOINTS = [Endpoint("/cgi-bin/qrcode/create", create_code, "POST", is_official_only=True)]
PICTURES = [Endpoint("/cgi-bin/showqrcode", show_code, "GET", takes_token=False)]
