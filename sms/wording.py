"""Wording of texts: places and what fits into them, how many texts a long one is, what people answer."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _

from core import texts
from sms.errors import TextUnfit

GAP: Final = re.compile(r"\{([0-9]{1,2})\}")
# "Rules of domestic texts": up to 70 characters are one text, sign and brackets among them; a longer one is cut every 67.
WHOLE: Final = 70
PART: Final = 67
LONGEST: Final = 500
MOST_GAPS: Final = 20
OPT_OUT: Final = re.compile("拒收|退订")
# Reviewers let no addresses into variables, and the interface refuses them.
_ADDRESS: Final = re.compile(
    r"(?i)https?:|www\.|[a-z0-9-]+\.(?:com|cn|net|org|cc|top|vip|shop|xyz|io|me|co)(?![a-z0-9])"
)
_CODE: Final = re.compile(r"[0-9]{1,6}")
_ANSWERS: Final = frozenset({"T", "TD", "N", "R", "QX", "退订", "拒收", "取消", "不要再发", "0000", "00000"})
# What a reply may carry around its word.
_AROUND: Final = re.compile(r"[\s\W_]+")


def gaps_of(text: str) -> list[int]:
    """The numbers of the places, each once, in order."""
    return sorted({int(number) for number in GAP.findall(text)})


def is_numbered_well(text: str) -> bool:
    """Whether the places are {1} to {n}, none missing."""
    numbers = gaps_of(text)
    return numbers == list(range(1, len(numbers) + 1)) and len(numbers) <= MOST_GAPS


def fit_param(value: str, *, limit: int, is_code: bool) -> str:
    """One value as the provider takes it: one line, cut with an ellipsis between characters. Raises TextUnfit, without a
    place, for what is empty, holds an address, or is no code where a code belongs."""
    line = texts.clean(value)
    if is_code:
        if not _CODE.fullmatch(line):
            raise TextUnfit(rule=_("1 到 6 位数字"))
        return line
    if not line:
        raise TextUnfit(rule=_("不能为空"))
    if _ADDRESS.search(line):
        raise TextUnfit(rule=_("不能有网址"))
    return texts.cut(line, limit) if limit > 1 else next(texts.clusters(line))


def fill(text: str, sign: str, params: Sequence[str]) -> str:
    """The whole text as a phone shows it."""
    return f"【{sign}】" + GAP.sub(lambda gap: params[int(gap[1]) - 1], text)


def count_segments(whole: str) -> int:
    """How many texts the provider counts and bills."""
    length = texts.width(whole)
    return 1 if length <= WHOLE else -(-length // PART)


def is_opt_out(answer: str) -> bool:
    """Whether this reply says: no more. Full-width letters, blanks and full stops do not matter."""
    word = _AROUND.sub("", unicodedata.normalize("NFKC", answer)).upper()
    return word in _ANSWERS or (len(word) <= 6 and ("退订" in word or "拒收" in word))


# How our own texts name what fills their places, in the order of {1}, {2} …
OWN_PLACES: Final[Mapping[str, tuple[str, ...]]] = {"verification_code": ("code",)}
# Their wording for the console gateway, where no provider has approved one.
OWN_TEXTS: Final[Mapping[str, str]] = {
    "verification_code": "您的验证码是 {1}，5 分钟内有效。如果不是您本人操作，请忽略。"
}
