"""All rules of an account, compiled for matching: the winner in microseconds among thousands.

`choose` is for pushes and walks the indexes; `rank` is for people and tries every rule, with the reason each matched.
A test holds the two together on generated rules.
"""

import dataclasses
import datetime as dt
import logging
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from django.utils.translation import gettext as _

from wechat.models import ReplyPart, ReplyRule
from wechat.models.replies import InboundKind, KeywordMatch, ReplyTrigger
from wechat.services import parsing
from wechat.services.reply_hours import Hours, load_hours
from wechat.services.reply_patterns import compile_pattern, matching

logger = logging.getLogger(__name__)

SCENE_PREFIX: Final = "qrscene_"
OccasionKind = Literal["follow", "scan", "click", "text", "message"]
# How specific a trigger is; the higher wins.
_BY_CODE, _ANY_CODE = 2, 1
_EXACT, _CONTAINS, _PATTERN, _KIND, _HOURS, _DEFAULT = 6, 5, 4, 3, 2, 1
# Answers that only bridge the time until a person looks: her message still waits for her guide.
_STOPGAPS: Final = frozenset({ReplyTrigger.AFTER_HOURS.value, ReplyTrigger.DEFAULT.value})
_MESSAGE_KINDS: Final = {kind.value: kind.value for kind in InboundKind} | {
    "shortvideo": InboundKind.VIDEO.value
}


@dataclasses.dataclass(frozen=True, slots=True)
class Occasion:
    """What she did, as far as rules care."""

    kind: OccasionKind
    at: dt.datetime
    scene: str = ""  # of a follow or scan
    text: str = ""
    message_kind: str = ""  # of what is no text: InboundKind, empty for kinds without rules
    menu_key: str = ""

    @property
    def is_message(self) -> bool:
        """Whether she wrote something that a person could answer."""
        return self.kind in ("text", "message")


@dataclasses.dataclass(frozen=True, slots=True)
class Ruled:
    """A rule with what it says."""

    rule: ReplyRule
    parts: tuple[ReplyPart, ...]
    order: int  # the first of equals wins

    def holds(self, at: dt.datetime) -> bool:
        """Validity is half-open."""
        rule = self.rule
        return (rule.valid_from is None or rule.valid_from <= at) and (
            rule.valid_until is None or at < rule.valid_until
        )

    @property
    def is_stopgap(self) -> bool:
        return self.rule.trigger in _STOPGAPS


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """A rule that matches: the better rank is the smaller one."""

    rank: tuple[int, int, int]  # (-specificity, -length of the word, order)
    ruled: Ruled
    because: str


def occasion_of(fields: Mapping[str, Any], at: dt.datetime) -> Occasion | None:
    """What a push means for the rules; None when no rule can ever answer it."""
    kind = parsing.kind_of(fields)
    key = parsing.text_field(fields, "EventKey")
    if kind == "event.subscribe":
        return Occasion("follow", at, scene=key.removeprefix(SCENE_PREFIX))
    if kind == "event.scan":
        return Occasion("scan", at, scene=key)
    if kind in ("event.click", "event.scancode_waitmsg"):
        return Occasion("click", at, menu_key=key)
    if kind == "text":
        return Occasion("text", at, text=parsing.text_field(fields, "Content").strip())
    if kind in _MESSAGE_KINDS:
        return Occasion("message", at, message_kind=_MESSAGE_KINDS[kind])
    return None


def normal(text: str) -> str:
    """As words are compared: full-width letters and case aside."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


class RuleBook:
    """The active rules of one account at one version. Immutable; shared by all threads of a process."""

    def __init__(self, rules: Iterable[tuple[ReplyRule, tuple[ReplyPart, ...]]], hours: Hours) -> None:
        """`rules` in order: the first of equals wins. Those without parts say nothing and are left out."""
        self.hours = hours
        self.rules = tuple(Ruled(rule, parts, order) for order, (rule, parts) in enumerate(rules) if parts)
        self._by_key: dict[tuple[str, str], list[Ruled]] = defaultdict(list)
        self._exact: dict[str, list[Ruled]] = defaultdict(list)
        self._contained: dict[str, list[Ruled]] = defaultdict(list)
        self._patterns: list[tuple[Any, int]] = []
        for place, ruled in enumerate(self.rules):
            self._index(place, ruled)
        lengths: dict[str, set[int]] = defaultdict(set)
        for word in self._contained:
            lengths[word[:2]].add(len(word))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def _index(self, place: int, ruled: Ruled) -> None:
        rule = ruled.rule
        if rule.trigger != ReplyTrigger.KEYWORD:
            self._by_key[(rule.trigger, _key_of(rule))].append(ruled)
        elif rule.keyword_match == KeywordMatch.PATTERN:
            try:
                self._patterns.append((compile_pattern(rule.keyword), place))
            except ValueError:
                # The form refuses it; one written another way must not stop the others.
                logger.error("wechat.reply_pattern_unusable", extra={"rule_id": rule.pk})
        elif word := normal(rule.keyword):
            if rule.keyword_match == KeywordMatch.EXACT:
                self._exact[word].append(ruled)
            else:
                self._contained[word].append(ruled)

    def choose(self, occasion: Occasion) -> Ruled | None:
        """The rule that answers, or None."""
        at = occasion.at
        if occasion.kind in ("follow", "scan"):
            return self._first((occasion.kind, occasion.scene), at) or self._first((occasion.kind, ""), at)
        if occasion.kind == "click":
            return self._first((ReplyTrigger.CLICK, occasion.menu_key), at)
        found = self._by_word(occasion) if occasion.text else None
        if found is None and occasion.message_kind:
            found = self._first((ReplyTrigger.MESSAGE, occasion.message_kind), at)
        if found is None and (ReplyTrigger.AFTER_HOURS, "") in self._by_key and not self.hours.is_open(at):
            found = self._first((ReplyTrigger.AFTER_HOURS, ""), at)
        return found or self._first((ReplyTrigger.DEFAULT, ""), at)

    def _first(self, key: tuple[str, str], at: dt.datetime) -> Ruled | None:
        return next((ruled for ruled in self._by_key.get(key, ()) if ruled.holds(at)), None)

    def _by_word(self, occasion: Occasion) -> Ruled | None:
        text, at = normal(occasion.text), occasion.at
        for ruled in self._exact.get(text, ()):
            if ruled.holds(at):
                return ruled
        found = self._longest_contained(text, at)
        if found is not None:
            return found
        for place in matching(self._patterns, occasion.text):
            if self.rules[place].holds(at):
                return self.rules[place]
        return None

    def _longest_contained(self, text: str, at: dt.datetime) -> Ruled | None:
        """One walk over the text: at each place only words that begin with its two characters are looked up, by length,
        the longest first, and none shorter than what was found already."""
        best: Ruled | None = None
        best_length = 0
        for place in range(len(text) - 1):
            for length in self._lengths.get(text[place : place + 2], ()):
                if length < best_length:
                    break
                best, best_length = self._better(text[place : place + length], at, best, best_length)
        if best is None:
            for character in set(text) & self._lengths.keys():
                best, best_length = self._better(character, at, best, best_length)
        return best

    def _better(
        self, word: str, at: dt.datetime, best: Ruled | None, best_length: int
    ) -> tuple[Ruled | None, int]:
        for ruled in self._contained.get(word, ()):
            if ruled.holds(at):
                is_better = best is None or len(word) > best_length or ruled.order < best.order
                return (ruled, len(word)) if is_better else (best, best_length)
        return best, best_length

    def rank(self, occasion: Occasion) -> list[Match]:
        """All rules that match, the winner first."""
        found = []
        for ruled in self.rules:
            match = self.match(ruled, occasion) if ruled.holds(occasion.at) else None
            if match is not None:
                found.append(match)
        return sorted(found, key=lambda match: match.rank)

    def match(self, ruled: Ruled, occasion: Occasion) -> Match | None:
        """Whether a rule of this book matches, its validity aside."""
        found = self._match(ruled, occasion)
        return None if found is None else Match((-found[0], -found[1], ruled.order), ruled, found[2])

    def _match(self, ruled: Ruled, occasion: Occasion) -> tuple[int, int, str] | None:
        """(specificity, length of the matching word, the reason in words), or None."""
        rule, kind = ruled.rule, occasion.kind
        if kind in ("follow", "scan"):
            if rule.trigger != kind or rule.channel_code not in ("", occasion.scene):
                return None
            if rule.channel_code:
                return _BY_CODE, 0, _("扫了指定的渠道码")
            return _ANY_CODE, 0, _("关注时回复") if kind == "follow" else _("已关注的人扫码时回复")
        if kind == "click":
            is_hit = rule.trigger == ReplyTrigger.CLICK and rule.menu_key == occasion.menu_key
            return (1, 0, _("点了菜单“%s”") % rule.menu_key) if is_hit else None
        if rule.trigger == ReplyTrigger.KEYWORD:
            return _match_word(rule, occasion.text) if occasion.text else None
        if rule.trigger == ReplyTrigger.MESSAGE:
            is_hit = bool(rule.message_kind) and rule.message_kind == occasion.message_kind
            return (_KIND, 0, _("收到%s") % rule.get_message_kind_display()) if is_hit else None
        if rule.trigger == ReplyTrigger.AFTER_HOURS:
            return None if self.hours.is_open(occasion.at) else (_HOURS, 0, _("现在不在营业时间"))
        is_default = rule.trigger == ReplyTrigger.DEFAULT
        return (_DEFAULT, 0, _("没有更具体的规则时的默认回复")) if is_default else None


def _key_of(rule: ReplyRule) -> str:
    """What the rules of a trigger are told apart by."""
    return {
        ReplyTrigger.FOLLOW.value: rule.channel_code,
        ReplyTrigger.SCAN.value: rule.channel_code,
        ReplyTrigger.CLICK.value: rule.menu_key,
        ReplyTrigger.MESSAGE.value: rule.message_kind,
    }.get(rule.trigger, "")


def _match_word(rule: ReplyRule, text: str) -> tuple[int, int, str] | None:
    if rule.keyword_match == KeywordMatch.PATTERN:
        try:
            compiled = compile_pattern(rule.keyword)
        except ValueError:
            return None
        is_hit = any(True for _number in matching([(compiled, 0)], text))
        return (_PATTERN, 0, _("符合正则表达式“%s”") % rule.keyword) if is_hit else None
    word, whole = normal(rule.keyword), normal(text)
    if not word:
        return None
    if rule.keyword_match == KeywordMatch.EXACT:
        return (_EXACT, 0, _("与关键词“%s”完全一致") % rule.keyword) if word == whole else None
    return (_CONTAINS, len(word), _("包含关键词“%s”") % rule.keyword) if word in whole else None


def load_book(account_id: int, at: dt.datetime) -> RuleBook:
    """The rules of an account as they stand; those that will never hold again after `at` are left out."""
    rules = ReplyRule.objects.bound_to_end(at).filter(account_id=account_id).in_order()
    return RuleBook(
        ((rule, tuple(rule.parts.all())) for rule in rules.prefetch_related("parts")), load_hours(account_id)
    )
