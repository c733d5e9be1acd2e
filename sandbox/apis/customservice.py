"""Customer-service messages: official pages "send customer service message" and "typing status"."""

from collections.abc import Callable
from typing import Any

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.models import Person, Tie
from sandbox.windows import spend_window

TEXT_BYTES = 2048
TYPING_S = 15
TYPING_NEEDS_S = 30
MINI_PROGRAM_TYPES = {"text", "image", "link", "miniprogrampage"}


def _recipient(call: Call, body: dict[str, Any]) -> tuple[Person, Tie]:
    person = call.world.person_by_openid(call.account.app_id, body.get("touser"))
    if person is None:
        raise WeChatRefusal(40003)
    return person, call.world.tie(person, call.account.app_id)


def part_of(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a part of the body: 47001 when it is missing."""
    part = body.get(name)
    if not isinstance(part, dict):
        raise WeChatRefusal(47001, f"{name} is missing")
    return part


def _text_of(part: dict[str, Any], name: str, *, is_required: bool = False) -> str:
    value = part.get(name, "")
    if not isinstance(value, str):
        raise WeChatRefusal(47001, name)
    if is_required and not value:
        raise WeChatRefusal(47001, f"{name} is missing")
    return value


def media_url(call: Call, part: dict[str, Any], name: str = "media_id") -> str:
    """Return where the consoles find uploaded material: 40007 when it is not this account's, or gone."""
    media = call.world.media.get(_text_of(part, name))
    if media is None or media.app_id != call.account.app_id:
        raise WeChatRefusal(40007)
    if media.expires_at is not None and media.expires_at <= call.world.now():
        raise WeChatRefusal(40007)
    return f"/_/media/{media.media_id}"


def text_part(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    """Return a text as the chat shows it: 44004 when empty, 45002 when too long."""
    content = _text_of(part, "content")
    if not content:
        raise WeChatRefusal(44004)
    if len(content.encode()) > TEXT_BYTES:
        raise WeChatRefusal(45002)
    return {"text": content}


def _picture(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    return {"url": media_url(call, part)}


def _film(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    media_url(call, part, "thumb_media_id")
    return {"url": media_url(call, part), "text": _text_of(part, "title")}


def _music(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    media_url(call, part, "thumb_media_id")
    return {"url": _text_of(part, "musicurl"), "text": _text_of(part, "title")}


def _news(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    articles = part.get("articles")
    if not isinstance(articles, list) or len(articles) != 1 or not isinstance(articles[0], dict):
        raise WeChatRefusal(45008)
    names = ("title", "description", "url", "picurl")
    return {"articles": [{name: _text_of(articles[0], name) for name in names}]}


def _card(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    if not _text_of(part, "appid"):
        raise WeChatRefusal(40013)
    card = {
        "title": _text_of(part, "title"),
        "appid": _text_of(part, "appid"),
        "pagepath": _text_of(part, "pagepath", is_required=True),
        "thumb_media_id": _text_of(part, "thumb_media_id"),
        "thumb_url": media_url(call, part, "thumb_media_id"),
    }
    owner = call.world.accounts.get(card["appid"])
    return {"card": {**card, "app_name": owner.name if owner else "小程序"}}


def _choices(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    items = part.get("list")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise WeChatRefusal(47001, "list")
    return {
        "text": _text_of(part, "head_content"),
        "choices": [{"id": str(item.get("id", "")), "content": _text_of(item, "content")} for item in items],
        "tail": _text_of(part, "tail_content"),
    }


def _link(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    article = {name: _text_of(part, name) for name in ("title", "description", "url")}
    return {"articles": [{**article, "picurl": _text_of(part, "thumb_url")}]}


READERS: dict[str, Callable[[Call, dict[str, Any]], dict[str, Any]]] = {
    "text": text_part,
    "image": _picture,
    "voice": _picture,
    "video": _film,
    "music": _music,
    "news": _news,
    "miniprogrampage": _card,
    "msgmenu": _choices,
    "mpnews": _picture,
    "link": _link,
}
OFFICIAL_TYPES = READERS.keys() - {"link"}


def send(call: Call) -> Answer:
    """Send one message if a window is open; it shows up in the person's chat."""
    body = call.json()
    kind = body.get("msgtype")
    allowed = MINI_PROGRAM_TYPES if call.account.kind == "mini_program" else OFFICIAL_TYPES
    if not isinstance(kind, str) or kind not in allowed:
        raise WeChatRefusal(40008)
    call.summary = kind
    person, tie = _recipient(call, body)
    call.summary = f"{kind} → {person.name}"
    content = READERS[kind](call, part_of(body, kind))
    if tie.is_blocked:
        raise WeChatRefusal(48002)
    spend_window(tie, call.world.now())
    tie.typing_until = 0.0
    shown = "news" if kind == "link" else kind
    call.world.add_bubble(person, call.account.app_id, side="account", via="cs", kind=shown, **content)
    return OK


def set_typing(call: Call) -> Answer:
    """Show or end "typing": 45080 without an interaction in the last 30 s, 45081 when already shown."""
    body = call.json()
    person, tie = _recipient(call, body)
    command, now = body.get("command"), call.world.now()
    if command not in ("Typing", "CancelTyping"):
        raise WeChatRefusal(40097)
    call.summary = f"{command} → {person.name}"
    if now - tie.last_interaction_at > TYPING_NEEDS_S:
        raise WeChatRefusal(45080)
    if command == "Typing" and tie.typing_until > now:
        raise WeChatRefusal(45081)
    tie.typing_until = now + TYPING_S if command == "Typing" else 0.0
    seconds = TYPING_S if command == "Typing" else 0
    data = {"person_id": person.id, "app_id": call.account.app_id, "seconds": seconds}
    call.world.hub.publish("typing", data)
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/message/custom/send", send, "POST"),
    Endpoint("/cgi-bin/message/custom/typing", set_typing, "POST"),
]
