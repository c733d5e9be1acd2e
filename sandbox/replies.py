"""Reading what a callback answered: official page "passive reply". Malformed means an outage to the user."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Any

from defusedxml.ElementTree import fromstring

from sandbox.crypto import CryptoError, decrypt, same, signature
from sandbox.envelope import Parcel
from sandbox.models import Account
from sandbox.state import World

ARTICLES_FOR_EVENT = 8
LARGEST = 1024 * 1024


class BadReply(Exception):
    """The answer cannot be shown to the user."""


@dataclass
class Reply:
    """A readable answer: kind "" means silence (`success` or nothing)."""

    kind: str = ""
    content: dict[str, Any] = field(default_factory=dict)


def _tree(element: ElementTree.Element) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    tree: dict[str, Any] = {}
    for child in children:
        value = _tree(child)
        if child.tag in tree:
            known = tree[child.tag]
            tree[child.tag] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            tree[child.tag] = value
    return tree


def parse(text: str, kind: str) -> dict[str, Any]:
    """Read a message in the account's format; the other format is malformed."""
    try:
        data = json.loads(text) if kind == "json" else _tree(fromstring(text))
    except Exception as error:  # the XML guard raises several unrelated types
        raise BadReply(f"not {kind}") from error
    if not isinstance(data, dict):
        raise BadReply(f"not a message in {kind}")
    return data


def _open_envelope(account: Account, parcel: Parcel, data: dict[str, Any]) -> dict[str, Any]:
    ciphertext, stamp = data.get("Encrypt"), str(data.get("TimeStamp", ""))
    expected = signature(account.token, stamp, str(data.get("Nonce", "")), str(ciphertext))
    if not isinstance(ciphertext, str) or not same(expected, str(data.get("MsgSignature", ""))):
        raise BadReply("bad MsgSignature")
    try:
        return parse(decrypt(ciphertext, parcel.aes_key, account.app_id), account.format)
    except CryptoError as error:
        raise BadReply(f"reply cannot be decrypted: {error}") from error


def _articles(data: dict[str, Any], *, limit: int) -> list[dict[str, str]]:
    articles = data.get("Articles")
    items = articles.get("item") if isinstance(articles, dict) else articles
    items = items if isinstance(items, list) else [items]
    if not items or not all(isinstance(item, dict) for item in items):
        raise BadReply("Articles are missing")
    if str(data.get("ArticleCount")) != str(len(items)):
        raise BadReply("ArticleCount does not match")
    names = {"title": "Title", "description": "Description", "picurl": "PicUrl", "url": "Url"}
    return [{mine: str(item.get(theirs, "")) for mine, theirs in names.items()} for item in items[:limit]]


def _media_url(world: World, account: Account, data: dict[str, Any], part: str, name: str = "MediaId") -> str:
    holder = data.get(part)
    media = world.media.get(str(holder.get(name, ""))) if isinstance(holder, dict) else None
    if media is None or media.app_id != account.app_id:
        raise BadReply(f"{part} has no valid {name}")
    if media.expires_at is not None and media.expires_at <= world.now():
        raise BadReply(f"{name} has expired")
    return f"/_/media/{media.media_id}"


def _content(world: World, account: Account, data: dict[str, Any], *, is_event: bool) -> Reply:
    kind = data.get("MsgType")
    if kind == "text":
        if not isinstance(data.get("Content"), str) or not data["Content"]:
            raise BadReply("Content is missing")
        return Reply("text", {"text": data["Content"]})
    if kind == "news":
        limit = ARTICLES_FOR_EVENT if is_event else 1
        return Reply("news", {"articles": _articles(data, limit=limit)})
    if kind in ("image", "voice", "video"):
        part = kind.capitalize()
        return Reply(kind, {"url": _media_url(world, account, data, part)})
    if kind == "music":
        _media_url(world, account, data, "Music", "ThumbMediaId")
        return Reply(
            "music",
            {"text": str(data["Music"].get("Title", "")), "url": str(data["Music"].get("MusicUrl", ""))},
        )
    if kind == "transfer_customer_service":
        return Reply("transfer_customer_service")
    raise BadReply(f"unknown MsgType {kind!r}")


def read_reply(
    world: World, account: Account, parcel: Parcel, raw: bytes, *, openid: str, is_event: bool
) -> Reply:
    """Return the reply in a 200 answer, or raise BadReply with the reason for the log."""
    if raw in (b"", b"success"):
        return Reply()
    if len(raw) > LARGEST:
        raise BadReply("too large")
    try:
        data = parse(raw.decode("utf-8"), account.format)
    except UnicodeDecodeError as error:
        raise BadReply("not UTF-8") from error
    if "Encrypt" in data and parcel.aes_key:
        data = _open_envelope(account, parcel, data)
    elif account.mode == "safe":
        raise BadReply("plain reply in safe mode")
    if data.get("ToUserName") != openid:
        raise BadReply("ToUserName is not the user")
    if data.get("FromUserName") != account.original_id:
        raise BadReply("FromUserName is not the account")
    if not str(data.get("CreateTime", "")).isdigit():
        raise BadReply("CreateTime is missing")
    return _content(world, account, data, is_event=is_event)
