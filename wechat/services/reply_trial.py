"""Trying the reply rules: what a sample would get, why, and why the others would not answer. Changes nothing."""

import dataclasses
from collections.abc import Iterable

from django.utils.translation import gettext as _

from wechat.models import ReplyPart, ReplyRule
from wechat.services.reply_book import Match, Occasion, RuleBook
from wechat.services.reply_contents import is_passive
from wechat.services.reply_hours import load_hours
from wechat.services.reply_kinds import find_kind


@dataclasses.dataclass(frozen=True, slots=True)
class PartPreview:
    """One message as she would see it. Texts of other apps' kinds are examples."""

    kind: str
    text: str = ""
    title: str = ""
    description: str = ""
    url: str = ""
    picture_url: str = ""  # of an article, a picture or a card
    card_page: str = ""
    is_passive: bool = False
    note: str = ""  # what happens besides ("发一张券")


@dataclasses.dataclass(frozen=True, slots=True)
class Winner:
    rule_id: int
    name: str
    because: str
    parts: tuple[PartPreview, ...]
    is_stopgap: bool  # her guide answers all the same


@dataclasses.dataclass(frozen=True, slots=True)
class Loser:
    rule_id: int
    name: str
    why: str


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    winner: Winner | None
    losers: tuple[Loser, ...]
    is_open: bool  # whether the account's hours hold then


def explain(*, account_id: int, occasion: Occasion) -> Explanation:
    """What the account would answer to this, by the rules as they stand."""
    rules = ReplyRule.objects.filter(account_id=account_id).in_order().prefetch_related("parts")
    book = RuleBook(((rule, tuple(rule.parts.all())) for rule in rules), load_hours(account_id))
    able, unable = _split(book, occasion)
    winner = able[0] if able else None
    losers = [_loser(match, _why_lost(able[0], match)) for match in able[1:]]
    losers += [_loser(match, why) for match, why in unable]
    return Explanation(
        winner=None if winner is None else _winner(winner),
        losers=tuple(losers),
        is_open=book.hours.is_open(occasion.at),
    )


def preview_parts(parts: Iterable[ReplyPart]) -> tuple[PartPreview, ...]:
    """The messages as she would see them; only the first can be the answer to the push itself."""
    return tuple(_preview(part, is_first=number == 0) for number, part in enumerate(parts))


def _split(book: RuleBook, occasion: Occasion) -> tuple[list[Match], list[tuple[Match, str]]]:
    """Rules that match and may answer, best first; and those that match and may not, with the reason."""
    able, unable = [], []
    for ruled in book.rules:
        match = book.match(ruled, occasion)
        if match is None:
            continue
        rule = ruled.rule
        if not rule.is_active:
            unable.append((match, _("也匹配（%s），但没有启用") % match.because))
        elif rule.valid_from is not None and occasion.at < rule.valid_from:
            unable.append((match, _("也匹配（%s），但还没到开始时间") % match.because))
        elif not ruled.holds(occasion.at):
            unable.append((match, _("也匹配（%s），但已过结束时间") % match.because))
        else:
            able.append(match)
    return sorted(able, key=lambda one: one.rank), unable


def _why_lost(winner: Match, loser: Match) -> str:
    if winner.rank[0] != loser.rank[0]:
        return _("也匹配（%s），但不如胜出的规则具体") % loser.because
    if winner.rank[1] != loser.rank[1]:
        return _("也匹配（%s），但关键词更短") % loser.because
    if winner.ruled.rule.priority != loser.ruled.rule.priority:
        return _("也匹配（%s），但优先级更低") % loser.because
    return _("也匹配（%s），但建立得更晚") % loser.because


def _loser(match: Match, why: str) -> Loser:
    return Loser(match.ruled.rule.pk, match.ruled.rule.name, why)


def _winner(match: Match) -> Winner:
    rule = match.ruled.rule
    return Winner(
        rule_id=rule.pk,
        name=rule.name,
        because=match.because,
        parts=preview_parts(match.ruled.parts),
        is_stopgap=match.ruled.is_stopgap,
    )


def _preview(part: ReplyPart, *, is_first: bool) -> PartPreview:
    kind = find_kind(part.kind)
    if kind is not None:
        note = str(kind.title)
        return PartPreview(kind="text", text=kind.preview(part.target), note=note)
    uploaded = part.picture.url if part.picture else ""
    return PartPreview(
        kind=part.kind,
        text=part.text,
        title=part.title,
        description=part.description,
        url=part.url,
        picture_url=part.picture_url or uploaded,
        card_page=part.card_page,
        is_passive=is_first and is_passive(part),
    )
