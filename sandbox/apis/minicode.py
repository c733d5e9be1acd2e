"""Mini-program codes without a limit in number: official page "getUnlimitedQRCode".

The real picture is round; here it is a QR code, so that any reader can tell what it holds.
"""

import base64
import hashlib
import io
import re
from typing import Any

import segno
from PIL import Image
from starlette.responses import Response

from sandbox.apis.gate import Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.mini import home_of
from sandbox.models import Account, QrCode

LONGEST_SCENE = 32
SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+")
PAGE = re.compile(r"[^/?][^?]*")
VERSIONS = ("release", "trial", "develop")
WIDTHS = range(280, 1281)
PER_MINUTE = 5_000
KIND = "MINI_CODE"


def _read_body(call: Call) -> dict[str, Any]:
    try:
        return call.json()
    except WeChatRefusal as refusal:
        if refusal.errcode in (44002, 47001):
            raise WeChatRefusal(40169) from refusal
        raise


def _read_scene(body: dict[str, Any]) -> str:
    scene = body.get("scene")
    if not isinstance(scene, str) or not 1 <= len(scene) <= LONGEST_SCENE:
        raise WeChatRefusal(40169)
    if not SCENE.fullmatch(scene):
        raise WeChatRefusal(40129)
    return scene


def _read_page(body: dict[str, Any], account: Account) -> str:
    """Return the page: 41030 with a leading slash or a query, or, when it is checked, not published."""
    page, is_checked = body.get("page", ""), body.get("check_path", True)
    if not isinstance(page, str) or not isinstance(is_checked, bool):
        raise WeChatRefusal(40097)
    if not page:
        return home_of(account)
    is_published = account.pages is None or page in account.pages
    if not PAGE.fullmatch(page) or (is_checked and not is_published):
        raise WeChatRefusal(41030)
    return page


def _read_colour(body: dict[str, Any]) -> tuple[int, int, int]:
    colour = body.get("line_color", {"r": 0, "g": 0, "b": 0})
    if not isinstance(colour, dict):
        raise WeChatRefusal(40097, "line_color")
    parts = [str(colour.get(name, "")) for name in ("r", "g", "b")]
    if not all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts):
        raise WeChatRefusal(40097, "line_color")
    red, green, blue = (int(part) for part in parts)
    return red, green, blue


def _read_look(body: dict[str, Any]) -> tuple[int, tuple[int, int, int], bool]:
    """Return width, colour and whether the ground is transparent."""
    width, is_clear = body.get("width", 430), body.get("is_hyaline", False)
    if isinstance(width, bool) or not isinstance(width, int) or width not in WIDTHS:
        raise WeChatRefusal(40097, "width")
    if not isinstance(is_clear, bool) or not isinstance(body.get("auto_color", False), bool):
        raise WeChatRefusal(40097)
    return width, _read_colour(body), is_clear


def _count(call: Call) -> None:
    account, minute = call.account, int(call.world.now() // 60)
    if account.picture_minute != minute:
        account.picture_minute, account.pictures_drawn = minute, 0
    if account.pictures_drawn >= PER_MINUTE:
        raise WeChatRefusal(45009)
    account.pictures_drawn += 1


def _keep(call: Call, scene: str, page: str, version: str) -> QrCode:
    """The same scene, page and version are the same code: no number of them is ever used up."""
    text = "\n".join((call.account.app_id, version, page, scene))
    name = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:15]).decode()
    known = call.world.codes.get(name)
    if known is not None:
        return known
    code = QrCode(
        ticket=name,
        url=f"https://mp.weixin.qq.com/a/~{name}",
        app_id=call.account.app_id,
        action_name=KIND,
        scene=scene,
        is_number=False,
        created_at=call.world.now(),
        expires_at=None,
        page=page,
    )
    call.world.add_code(code)
    call.world.hub.publish("codes", {"app_id": code.app_id})
    return code


def draw(
    content: str, *, width: int = 430, colour: tuple[int, int, int] = (0, 0, 0), is_clear: bool = False
) -> bytes:
    """Return a square picture of that width with a quiet zone: PNG on transparent ground, or JPEG on white."""
    code = segno.make_qr(content, error="m")
    border = 4
    scale = width // code.symbol_size(border=border)[0]
    png = io.BytesIO()
    code.save(png, kind="png", scale=scale, border=border, dark=colour, light=None if is_clear else "#fff")
    small = Image.open(png).convert("RGBA")
    ground = (0, 0, 0, 0) if is_clear else (255, 255, 255, 255)
    picture = Image.new("RGBA", (width, width), ground)
    picture.paste(small, ((width - small.width) // 2, (width - small.height) // 2))
    out = io.BytesIO()
    if is_clear:
        picture.save(out, "PNG")
    else:
        picture.convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def draw_unlimited(call: Call) -> Answer:
    """A picture, or JSON when refused: 40169, 40129, 41030, 40097, 45009 beyond 5,000 a minute."""
    body = _read_body(call)
    scene = _read_scene(body)
    call.summary = scene
    version = body.get("env_version", "release")
    if version not in VERSIONS:
        raise WeChatRefusal(40097, "env_version")
    page = _read_page(body, call.account)
    width, colour, is_clear = _read_look(body)
    _count(call)
    code = _keep(call, scene, page, version)
    picture = draw(code.url, width=width, colour=colour, is_clear=is_clear)
    return Response(picture, media_type="image/png" if is_clear else "image/jpeg")


ENDPOINTS = [Endpoint("/wxa/getwxacodeunlimit", draw_unlimited, "POST", is_mini_only=True)]
