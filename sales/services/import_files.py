"""How large a file of orders may be, and why a row of it is bad."""

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _

from core.errors import sentences_in
from members.services.import_files import REASONS as MEMBER_REASONS
from sales import errors
from sales.services.import_columns import TARGETS

# A nightly file of a million orders, with some lines each.
MOST_BYTES: Final = 1024 * 1024 * 1024
MOST_ROWS: Final = 10_000_000
REASONS: Final[Mapping[str, Callable[[], str]]] = {
    "missing": lambda: _("没有填写"),
    "differs": lambda: _("和同一单的第一行不一样"),
    "too_long": lambda: _("太长了"),
    "formula": lambda: _("是一个没有算出结果的公式，请粘贴成数值"),
    "number_scientific": lambda: _("被表格软件变成了科学计数，请把这一列设成文本后重新填"),
    "money_unusable": lambda: _("不是金额，请填写元，最多两位小数"),
    "money_negative": lambda: _("金额不能是负数，退货请用退货单文件"),
    "money_too_much": lambda: _("金额太大，请核对"),
    "count_unusable": lambda: _("不是整数，或太大太小"),
    "count_negative": lambda: _("不能是负数，退货请用退货单文件"),
    "moment_unusable": lambda: _("不是时间，请写成 2026-05-01 18:30:00"),
    "payments_unusable": lambda: _("请写成 微信=100.00;现金=20.00"),
    "coupons_unusable": lambda: _("请写成 券码=优惠金额/用券商品金额"),
    "too_many_lines": lambda: _("一张单据超过 500 行"),
    "other_row": lambda: _("同一单的其他行有问题，整单没有导入"),
    "scattered": lambda: _("同一单号在文件里出现了几次，内容不同；同一单的行要挨在一起"),
}
_REFUSALS: Final = sentences_in(errors)


def reason_words(*, reason: str, kind: str) -> str:
    """quantity:missing → 数量：没有填写"""
    target, _colon, code = reason.partition(":")
    if code in REASONS:
        words = REASONS[code]()
    elif code in MEMBER_REASONS:
        words = MEMBER_REASONS[code]()
    else:
        words = str(_REFUSALS.get(code, code))
    return f"{TARGETS[kind][target]}：{words}" if target in TARGETS[kind] else words
