"""Regular expressions of reply rules, on an engine whose time grows with the text and never with the pattern.

Python's own engine backtracks: `(a+)+$` on thirty letters takes minutes, and a member could stop the callback with a
message. RE2 has no backtracking and refuses what needs it (look-around, back references), ADR 46.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any, Final

import re2
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

logger = logging.getLogger(__name__)

MAX_PATTERN: Final = 200
# Of a longer message only so much is searched: WeChat's own limit for a text is about this.
MAX_SEARCHED: Final = 2_048
# All patterns of one message together; what is not reached by then does not match.
BUDGET_S: Final = 0.05
_MAX_MEMORY: Final = 1 << 20  # bytes of one compiled pattern with its cache

# Said by RE2, and what it means to whoever wrote the pattern.
_FAULTS: Final = (
    ("missing )", lazy("有一个左括号“(”没有配对的右括号")),
    ("unexpected )", lazy("有一个右括号“)”没有配对的左括号")),
    ("missing ]", lazy("有一个左方括号“[”没有配对的右方括号")),
    ("no argument for repetition", lazy("“*”“+”“?”前面要有被重复的内容")),
    ("bad repetition operator", lazy("不能连着写两个重复符号，如“++”")),
    ("invalid repetition size", lazy("重复次数太多，最多 1000 次")),
    ("invalid perl operator", lazy("不支持“(?=”“(?!”这类前后判断，请换一种写法")),
    ("invalid escape sequence", lazy("反斜杠“\\”后面的写法不认识；也不支持“\\1”这类引用前面括号的写法")),
    ("trailing \\", lazy("结尾不能是单独的反斜杠“\\”")),
    ("invalid character class range", lazy("方括号里的范围写反了，如“[z-a]”")),
    ("pattern too large", lazy("表达式太大，请拆成几条规则")),
)


def compile_pattern(pattern: str) -> Any:
    """The pattern, case aside, for `first_match`. Raises ValueError when RE2 does not take it."""
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(_said(error)) from error


def _said(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)


def describe_fault(pattern: str) -> str:
    """What is wrong with a pattern, in words for a marketer; empty when it can be used."""
    if len(pattern) > MAX_PATTERN:
        return _("表达式最多 %(limit)s 个字") % {"limit": MAX_PATTERN}
    try:
        compiled = compile_pattern(pattern)
    except ValueError as error:
        said = str(error)
        known = next((words for mark, words in _FAULTS if mark in said), _("写法不对，请检查括号和符号"))
        return _("这个正则表达式不能用：%(why)s") % {"why": known}
    if compiled.search(b""):
        return _("这个表达式什么都能匹配上，请写得具体一些；要回复所有消息请用「其他消息」")
    return ""


def matching(patterns: Iterable[tuple[Any, int]], text: str) -> Iterable[int]:
    """The numbers of those compiled patterns that the text holds, in their order, until the time is up."""
    searched = text[:MAX_SEARCHED].encode(errors="replace")
    ends = time.monotonic() + BUDGET_S
    for compiled, number in patterns:
        if time.monotonic() > ends:
            logger.warning("wechat.reply_patterns_slow", extra={"reached": number})
            return
        if compiled.search(searched):
            yield number
