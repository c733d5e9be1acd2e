"""Uploaded material: official pages "upload temporary media", "get temporary media", "add material"."""

import base64
import json
import re
import secrets
from dataclasses import dataclass

from starlette.responses import Response

from sandbox.apis.gate import Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.models import DAY_S, Media

LIFE_S = 3 * DAY_S
MEGABYTE = 1024 * 1024
LARGEST = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "thumb": 64 * 1024}


@dataclass(frozen=True)
class Part:
    """One file of a multipart/form-data body."""

    content_type: str
    data: bytes


def read_part(content_type: str, raw: bytes, name: str) -> Part | None:
    """Return the file field of that name."""
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        return None
    for chunk in raw.split(b"--" + boundary[1].encode())[1:]:
        head, separator, data = chunk.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace")
        if not separator or not re.search(rf'[; ]name="?{name}"?(;|\s|$)', lines):
            continue
        kind = re.search(r"(?im)^content-type:\s*(\S+)", lines)
        return Part(kind[1] if kind else "application/octet-stream", data.removesuffix(b"\r\n"))
    return None


def _keep(call: Call, *, seconds: int | None) -> Media:
    kind = call.query.get("type", "")
    if kind not in LARGEST:
        raise WeChatRefusal(40004)
    part = read_part(call.request.headers.get("content-type", ""), call.raw, "media")
    if part is None or not part.data:
        raise WeChatRefusal(41005)
    if len(part.data) > LARGEST[kind]:
        raise WeChatRefusal(45002)
    now = call.world.now()
    media = Media(
        media_id=secrets.token_urlsafe(48),
        app_id=call.account.app_id,
        type=kind,
        content_type=part.content_type,
        data_base64=base64.b64encode(part.data).decode(),
        created_at=now,
        expires_at=None if seconds is None else now + seconds,
    )
    call.world.media[media.media_id] = media
    call.summary = f"{kind} {len(part.data)} B"
    return media


def upload(call: Call) -> Answer:
    """Keep a file for three days. A thumb's id comes under its own name."""
    media = _keep(call, seconds=LIFE_S)
    name = "thumb_media_id" if media.type == "thumb" else "media_id"
    return {"type": media.type, name: media.media_id, "created_at": int(media.created_at)}


def add_material(call: Call) -> Answer:
    """Keep a file for good."""
    media = _keep(call, seconds=None)
    return {"media_id": media.media_id, "url": f"{call.request.base_url}_/media/{media.media_id}"}


def upload_picture(call: Call) -> Answer:
    """Keep a picture for use inside articles: only its URL is given."""
    call.query["type"] = "image"
    media = _keep(call, seconds=None)
    return {"url": f"{call.request.base_url}_/media/{media.media_id}"}


def get(call: Call) -> Answer:
    """The file itself, or a JSON error: 41006, 40007."""
    media_id = call.query.get("media_id")
    if not media_id:
        raise WeChatRefusal(41006)
    media = call.world.media.get(media_id)
    now = call.world.now()
    if media is None or media.app_id != call.account.app_id:
        raise WeChatRefusal(40007)
    if media.expires_at is not None and media.expires_at <= now:
        raise WeChatRefusal(40007)
    name = json.dumps(f"{media.media_id[:16]}.{media.type}")
    headers = {"Content-disposition": f"attachment; filename={name}"}
    return Response(base64.b64decode(media.data_base64), media_type=media.content_type, headers=headers)


ENDPOINTS = [
    Endpoint("/cgi-bin/media/upload", upload, "POST"),
    Endpoint("/cgi-bin/media/get", get, "GET"),
    Endpoint("/cgi-bin/media/uploadimg", upload_picture, "POST"),
    Endpoint("/cgi-bin/material/add_material", add_material, "POST"),
]
