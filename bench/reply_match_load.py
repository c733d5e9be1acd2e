"""The process of reply_match: rules in memory, no database; prints the rounds as JSON.

The text matches nothing, so that every look-up is made. The floor of keywords is one pass of `in` over the same words,
which finds whether any is there and neither which is best nor until when it holds; of patterns, a bare loop over the
same compiled ones.
"""

import datetime as dt
import json
import random
import time
from collections.abc import Callable
from typing import Any, Final

import django

django.setup()

from wechat.models import ReplyPart, ReplyRule  # noqa: E402
from wechat.services.reply_book import Occasion, RuleBook, normal  # noqa: E402
from wechat.services.reply_hours import Hours  # noqa: E402
from wechat.services.reply_patterns import compile_pattern  # noqa: E402

RULES: Final = 2_000
ROUNDS: Final = 15
_LETTERS: Final = [chr(0x4E00 + number) for number in range(600)]
_OTHERS: Final = [chr(0x5E00 + number) for number in range(600)]
_NOW: Final = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def main() -> None:
    chance = random.Random(46)
    words = [_word(chance) for _number in range(RULES)]
    patterns = [f"({_word(chance)}|{_word(chance)}).{{0,6}}{_word(chance)}" for _number in range(RULES)]
    short, long = (_text(chance, length) for length in (20, 2_000))
    by_word = _book([("exact" if number % 3 == 0 else "contains", word) for number, word in enumerate(words)])
    by_pattern = _book([("pattern", pattern) for pattern in patterns])
    compiled = [compile_pattern(pattern) for pattern in patterns]
    measured = {
        "keywords, 20 characters": _rounds(
            lambda: [word for word in words if word in short], lambda: _choose(by_word, short), 20
        ),
        "keywords, 2,000 characters": _rounds(
            lambda: [word for word in words if word in long], lambda: _choose(by_word, long), 3
        ),
        "patterns, 20 characters": _rounds(
            lambda: [one for one in compiled if one.search(short.encode())],
            lambda: _choose(by_pattern, short),
            2,
        ),
    }
    print(json.dumps(measured))


def _rounds(floor: Callable[[], Any], ours: Callable[[], Any], times: int) -> dict[str, list[float]]:
    """Seconds of one call, in turns."""
    found: dict[str, list[float]] = {"floor": [], "ours": []}
    for _round in range(ROUNDS):
        for name, call in (("floor", floor), ("ours", ours)):
            started = time.perf_counter()
            for _time in range(times):
                if call():
                    raise RuntimeError("the text must match nothing")
            found[name].append((time.perf_counter() - started) / times)
    return found


def _choose(book: RuleBook, text: str) -> object:
    return book.choose(Occasion("text", _NOW, text=text))


def _book(rules: list[tuple[str, str]]) -> RuleBook:
    part = ReplyPart(kind="text", text="x")
    return RuleBook(
        (
            (ReplyRule(pk=number, trigger="keyword", keyword=keyword, keyword_match=match), (part,))
            for number, (match, keyword) in enumerate(rules)
        ),
        Hours(),
    )


def _word(chance: random.Random) -> str:
    return normal("".join(chance.choices(_LETTERS, k=chance.randint(2, 6))))


def _text(chance: random.Random, length: int) -> str:
    """Half of it letters of the words, in pairs that no word has."""
    return "".join(chance.choice(_LETTERS) + chance.choice(_OTHERS) for _pair in range(length // 2))


if __name__ == "__main__":
    main()
