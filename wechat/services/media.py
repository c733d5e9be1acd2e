"""Files uploaded to WeChat: each content once per account, until WeChat forgets it.

Official page "upload temporary media": a media_id lives three days.
"""

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage

from core import clock
from wechat.client.answers import is_known_file
from wechat.client.errors import UnreadableAnswer, WeChatError
from wechat.errors import MessageUnfit
from wechat.models import MediaHandle
from wechat.services.clients import client_for
from wechat.services.verdicts import UNKNOWN_MEDIA

MediaKind = Literal["image", "thumb"]

# A day short of WeChat's three, so that an id is never handed out on its last minutes.
LIVES: Final = dt.timedelta(days=2)
LARGEST_BYTES: Final = {"image": 10 * 1024 * 1024, "thumb": 64 * 1024}
_SUFFIXES: Final = ((b"\x89PNG", "png"), (b"GIF8", "gif"), (b"BM", "bmp"))


def get_media_id(*, account_id: int, source: bytes | str | Path, kind: MediaKind = "thumb") -> str:
    """The media_id of a picture, uploaded now unless the same bytes were in the last two days.

    `source` is the bytes, an absolute path, or a name in the default storage. Refuses (MessageUnfit) a file
    that is gone, too large or no picture; raises WeChatError when the upload fails. Two processes that upload
    the same file at once both succeed and the later id is kept.
    """
    content = _read(source)
    if not is_known_file(content) or len(content) > LARGEST_BYTES[kind]:
        raise MessageUnfit(field="thumb", limit_bytes=LARGEST_BYTES[kind])
    fingerprint = hashlib.sha256(content).hexdigest()
    now = clock.now()
    known = MediaHandle.objects.filter(
        account_id=account_id, kind=kind, content_sha256=fingerprint, expires_at__gt=now
    ).first()
    if known is not None:
        return known.media_id
    media_id = _upload(account_id, content, kind)
    MediaHandle.objects.update_or_create(
        account_id=account_id,
        kind=kind,
        content_sha256=fingerprint,
        defaults={"media_id": media_id, "expires_at": now + LIVES},
    )
    return media_id


@contextlib.contextmanager
def uploaded(*, account_id: int, source: str, kind: MediaKind) -> Iterator[str]:
    """A picture's id at WeChat, for one call; when that call says WeChat has forgotten it, the next one uploads anew."""
    media_id = get_media_id(account_id=account_id, source=source, kind=kind)
    try:
        yield media_id
    except WeChatError as error:
        if error.errcode == UNKNOWN_MEDIA:
            forget_media(account_id=account_id, media_id=media_id)
        raise


def forget_media(*, account_id: int, media_id: str) -> None:
    """Drop an id that WeChat does not know any more (40007); the next use uploads again."""
    MediaHandle.objects.filter(account_id=account_id, media_id=media_id).delete()


def _read(source: bytes | str | Path) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        if Path(source).is_absolute():
            return Path(source).read_bytes()
        with default_storage.open(str(source), "rb") as file:
            return bytes(file.read())
    except (OSError, ValueError, SuspiciousFileOperation) as error:
        raise MessageUnfit(field="thumb") from error


def _upload(account_id: int, content: bytes, kind: MediaKind) -> str:
    # WeChat goes by the file name's ending.
    suffix = next((name for magic, name in _SUFFIXES if content.startswith(magic)), "jpg")
    answer = client_for(account_id).media.upload(kind, (f"{kind}.{suffix}", content))
    # For thumbs the official page's own sample names the field thumb_media_id; both are met.
    media_id = answer.get("media_id") or answer.get("thumb_media_id")
    if not isinstance(media_id, str):
        raise UnreadableAnswer("/cgi-bin/media/upload", errmsg="no media_id in the answer")
    return media_id
