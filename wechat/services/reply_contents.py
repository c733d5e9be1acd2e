"""What a part of a rule is made of, and how it is said to WeChat as the answer to the push itself.

Passive answers can be text or one article (official page: passive reply); everything else is a customer-service
message from the inbox worker.
"""

import re
from typing import Any, Final

from wechatpy.replies import ArticlesReply, TextReply

from wechat.models import ReplyPart
from wechat.models.outbox import MessageKind

_PASSIVE: Final = frozenset({MessageKind.TEXT.value, MessageKind.ARTICLE.value})
_ANCHOR: Final = re.compile(r"<a\s([^<>]*)>([^<>]*)</a>", re.IGNORECASE)
_ANCHOR_EDGE: Final = re.compile(r"<\s*/?\s*a[\s>]", re.IGNORECASE)
_HREF: Final = re.compile(r"""\bhref\s*=\s*["'](https?://[^"'\s]+)["']""", re.IGNORECASE)
_MINI_APP: Final = re.compile(r"""\bdata-miniprogram-appid\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_MINI_PATH: Final = re.compile(r"""\bdata-miniprogram-path\s*=\s*["']([^"']+)["']""", re.IGNORECASE)


def is_passive(part: ReplyPart) -> bool:
    """Whether WeChat takes the part as the answer to the push itself."""
    return part.kind in _PASSIVE


def clean(text: str) -> str:
    """Text that is safe inside CDATA: no early end, no control character but TAB, LF and CR."""
    kept = "".join(c for c in text if c >= " " or c in "\t\n\r")
    kept = "".join(c for c in kept if not 0xD800 <= ord(c) <= 0xDFFF and c not in "\ufffe\uffff")
    return kept.replace("]]>", "]]]]><![CDATA[>")


def has_broken_link(text: str) -> bool:
    """Whether a link in the text would be shown as markup: not closed, without a web address, or a mini-program's
    without appid or page (official page: text messages may hold <a>, with data-miniprogram-appid and -path)."""
    for attributes, words in _ANCHOR.findall(text):
        mini = _MINI_APP.search(attributes)
        has_page = mini is None or (mini[1].startswith("wx") and _MINI_PATH.search(attributes))
        if not words.strip() or not _HREF.search(attributes) or not has_page:
            return True
    return bool(_ANCHOR_EDGE.search(_ANCHOR.sub("", text)))


def render_xml(part: ReplyPart, *, openid: str, original_id: str, at_unix: int) -> str:
    """The passive reply as WeChat's XML; only for passive kinds."""
    head = {"source": clean(original_id), "target": clean(openid), "time": at_unix}
    if part.kind == MessageKind.TEXT:
        return str(TextReply(content=clean(part.text), **head).render())
    reply = ArticlesReply(**head)
    # Exactly one article: answers to messages show one only.
    reply.add_article(
        {
            "title": clean(part.title),
            "description": clean(part.description),
            "image": clean(part.picture_url),
            "url": clean(part.url),
        }
    )
    return str(reply.render())


def render_json(part: ReplyPart, *, openid: str, original_id: str, at_unix: int) -> dict[str, Any]:
    """The same reply for accounts whose pushes are JSON: the same keys, as an object."""
    body: dict[str, Any] = {"ToUserName": openid, "FromUserName": original_id, "CreateTime": at_unix}
    if part.kind == MessageKind.TEXT:
        return body | {"MsgType": "text", "Content": part.text}
    article = {
        "Title": part.title,
        "Description": part.description,
        "PicUrl": part.picture_url,
        "Url": part.url,
    }
    return body | {"MsgType": "news", "ArticleCount": 1, "Articles": [article]}
