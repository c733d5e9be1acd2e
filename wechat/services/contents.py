"""What a customer-service message holds, checked before it is queued. All refuse (MessageUnfit) what WeChat would."""

import dataclasses
import re
from typing import Any, Final

from wechat.errors import MessageUnfit
from wechat.models.outbox import MessageKind

TEXT_BYTES: Final = 2048
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclasses.dataclass(frozen=True, slots=True)
class Content:
    """One message's kind and what the outbox keeps of it."""

    kind: MessageKind
    payload: dict[str, Any]


def text_content(*, text: str) -> Content:
    """A text; control characters are left out. Refuses an empty one and one over 2048 bytes."""
    return Content(MessageKind.TEXT, {"text": _clean(text, "text", TEXT_BYTES)})


def article_content(*, title: str, description: str, url: str, picture_url: str) -> Content:
    """A picture article. Refuses an empty title or address."""
    return Content(
        MessageKind.ARTICLE,
        {
            "title": _clean(title, "title", 512),
            "description": _clean(description, "description", 1024, is_required=False),
            "url": _clean(url, "url", 1024),
            "picture_url": _clean(picture_url, "picture_url", 1024, is_required=False),
        },
    )


def image_content(*, path: str) -> Content:
    """A picture: an absolute path, or a name in the default storage; it is uploaded when the message is sent."""
    return Content(MessageKind.IMAGE, {"path": _clean(path, "path", 1024)})


def card_content(*, title: str, card_app_id: str, page: str, thumb_path: str) -> Content:
    """A mini-program card. Refuses empty parts; `thumb_path` as in `image_content`."""
    return Content(
        MessageKind.MINI_PROGRAM_CARD,
        {
            "title": _clean(title, "title", 512),
            "card_app_id": _clean(card_app_id, "card_app_id", 64),
            "page": _clean(page, "page", 1024).lstrip("/"),
            "thumb_path": _clean(thumb_path, "thumb_path", 1024),
        },
    )


def _clean(text: str, field: str, limit_bytes: int, *, is_required: bool = True) -> str:
    cleaned = _UNPRINTABLE.sub("", text)
    if is_required and not cleaned.strip():
        raise MessageUnfit(field=field)
    if len(cleaned.encode()) > limit_bytes:
        raise MessageUnfit(field=field, limit_bytes=limit_bytes)
    return cleaned
