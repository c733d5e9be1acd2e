"""Which rule answers, and the passive answer it gives.

Passive answers can be text or one article (official page: passive reply). WeChat has no passive mini-program
card, so a card rule is answered by a customer-service message from the inbox worker.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from wechatpy.replies import ArticlesReply, TextReply

from wechat.models import ReplyRule
from wechat.models.outbox import MessageKind
from wechat.models.replies import KeywordMatch, ReplyTrigger
from wechat.services import parsing

SCENE_PREFIX: Final = "qrscene_"


@dataclasses.dataclass(frozen=True, slots=True)
class Occasion:
    """What happened, as far as rules care: one of follow and text is set."""

    is_follow: bool = False
    scene: str = ""
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class MatchedRule:
    """One rule with what it would send, for the reply tester."""

    rule_id: int
    name: str
    because: str
    kind: str
    text: str
    title: str
    description: str
    url: str
    picture_url: str
    card_app_id: str
    card_page: str
    card_thumb_url: str
    is_passive: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ReplyExplanation:
    winner: MatchedRule | None
    losers: tuple[tuple[int, str, str], ...]  # (rule id, name, why it did not win)


def occasion_of(fields: Mapping[str, Any]) -> Occasion | None:
    """What a push means for the rules; None when no rule can ever answer it."""
    kind = parsing.kind_of(fields)
    if kind == "event.subscribe":
        key = parsing.text_field(fields, "EventKey")
        return Occasion(is_follow=True, scene=key.removeprefix(SCENE_PREFIX))
    if kind == "text":
        return Occasion(text=parsing.text_field(fields, "Content").strip())
    if kind in {"image", "voice", "video", "shortvideo", "location", "link"}:
        return Occasion()
    return None


def choose(rules: Sequence[ReplyRule], occasion: Occasion) -> ReplyRule | None:
    """The winning rule of those given (in order of priority), or None."""
    ranked = _ranked(rules, occasion)
    return ranked[0][1] if ranked else None


def _ranked(
    rules: Sequence[ReplyRule], occasion: Occasion
) -> list[tuple[tuple[int, int, int], ReplyRule, str]]:
    """The matching rules, best first, each with the reason it matches."""
    matches = []
    for order, rule in enumerate(rules):
        match = _match(rule, occasion)
        if match is not None:
            specificity, length, because = match
            matches.append(((-specificity, -length, order), rule, because))
    return sorted(matches, key=lambda match: match[0])


def _match(rule: ReplyRule, occasion: Occasion) -> tuple[int, int, str] | None:
    """(specificity, length of the matching word, reason in Chinese), or None."""
    if rule.trigger == ReplyTrigger.FOLLOW:
        if not occasion.is_follow:
            return None
        if not rule.channel_code:
            return 1, 0, _("关注时回复")
        return (2, 0, _("扫了指定的渠道码关注")) if rule.channel_code == occasion.scene else None
    if occasion.is_follow:
        return None
    if rule.trigger == ReplyTrigger.DEFAULT:
        return 1, 0, _("没有关键词匹配时的默认回复")
    word, text = rule.keyword.strip().lower(), occasion.text.lower()
    if not word or not text:
        return None
    if word == text:
        return (
            3 if rule.keyword_match == KeywordMatch.EXACT else 2,
            len(word),
            _("与关键词“%s”完全一致") % rule.keyword,
        )
    if rule.keyword_match == KeywordMatch.CONTAINS and word in text:
        return 2, len(word), _("包含关键词“%s”") % rule.keyword
    return None


def is_passive(rule: ReplyRule) -> bool:
    """Whether WeChat takes the rule's kind as the answer to the push itself."""
    return rule.kind in {MessageKind.TEXT, MessageKind.ARTICLE}


def clean(text: str) -> str:
    """Text that is safe inside CDATA: no early end, no control character but TAB, LF and CR."""
    kept = "".join(c for c in text if c >= " " or c in "\t\n\r")
    kept = "".join(c for c in kept if not 0xD800 <= ord(c) <= 0xDFFF and c not in "\ufffe\uffff")
    return kept.replace("]]>", "]]]]><![CDATA[>")


def render_xml(rule: ReplyRule, *, openid: str, original_id: str, at_unix: int) -> str:
    """The passive reply as WeChat's XML; only for passive kinds."""
    head = {"source": clean(original_id), "target": clean(openid), "time": at_unix}
    if rule.kind == MessageKind.TEXT:
        return str(TextReply(content=clean(rule.text), **head).render())
    reply = ArticlesReply(**head)
    # Exactly one article: answers to messages show one only.
    reply.add_article(
        {
            "title": clean(rule.title),
            "description": clean(rule.description),
            "image": clean(rule.picture_url),
            "url": clean(rule.url),
        }
    )
    return str(reply.render())


def render_json(rule: ReplyRule, *, openid: str, original_id: str, at_unix: int) -> dict[str, Any]:
    """The same reply for accounts whose pushes are JSON: the same keys, as an object."""
    body: dict[str, Any] = {"ToUserName": openid, "FromUserName": original_id, "CreateTime": at_unix}
    if rule.kind == MessageKind.TEXT:
        return body | {"MsgType": "text", "Content": rule.text}
    article = {
        "Title": rule.title,
        "Description": rule.description,
        "PicUrl": rule.picture_url,
        "Url": rule.url,
    }
    return body | {"MsgType": "news", "ArticleCount": 1, "Articles": [article]}


def explain(*, account_id: int, situation: str, text: str = "", scene: str = "") -> ReplyExplanation:
    """What the account would answer now and why: situation is `follow`, `scan` (a follow by `scene`) or `text`."""
    rules = list(ReplyRule.objects.filter(account_id=account_id, is_active=True).order_by("-priority", "pk"))
    if situation == "text":
        occasion = Occasion(text=text.strip())
    else:
        occasion = Occasion(is_follow=True, scene=scene if situation == "scan" else "")
    ranked = _ranked(rules, occasion)
    winner = _matched(ranked[0][1], ranked[0][2]) if ranked else None
    losers = [
        (rule.pk, rule.name, _why_lost(ranked[0], match)) for match in ranked[1:] for rule in [match[1]]
    ]
    return ReplyExplanation(winner=winner, losers=tuple(losers))


def _why_lost(
    winner: tuple[tuple[int, int, int], ReplyRule, str], loser: tuple[tuple[int, int, int], ReplyRule, str]
) -> str:
    if winner[0][0] != loser[0][0]:
        return _("也匹配（%s），但不如胜出的规则具体") % loser[2]
    if winner[0][1] != loser[0][1]:
        return _("也匹配（%s），但关键词更短") % loser[2]
    if winner[1].priority != loser[1].priority:
        return _("也匹配（%s），但优先级更低") % loser[2]
    return _("也匹配（%s），但建立得更晚") % loser[2]


def _matched(rule: ReplyRule, because: str) -> MatchedRule:
    return MatchedRule(
        rule_id=rule.pk,
        name=rule.name,
        because=because,
        kind=rule.kind,
        text=rule.text,
        title=rule.title,
        description=rule.description,
        url=rule.url,
        picture_url=rule.picture_url,
        card_app_id=rule.card_app_id,
        card_page=rule.card_page,
        card_thumb_url=rule.card_thumb.url if rule.card_thumb else "",
        is_passive=is_passive(rule),
    )
