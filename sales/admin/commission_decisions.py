"""What is decided about a month of commission, each asked first: prepared, sent back, closed, opened again; and how far
that is where a worker does it."""

import datetime as dt
import math
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import BaseAdmin, DressedForm, Question, ask, bound_data, staff_actor, thousands
from sales import selectors, services
from sales.admin.words import month_words, yuan
from sales.models import CommissionMonth

# What is done, what has been done of how many, and what holds meanwhile.
WORKED_AT: Final = {
    "preparing": (
        _("正在生成提成单"),
        _("已算完 %(done)s / %(asked)s 位导购"),
        _("可以离开这个页面，会在后台继续。生成期间不能修改提成规则；这时才到的单据记到下一个月。"),
    ),
    "discarding": (
        _("正在退回"),
        _("已退回 %(done)s / %(asked)s 位导购的提成单"),
        _("可以离开这个页面，会在后台继续。退完以后月份回到未结算，可以再生成。"),
    ),
    "reopening": (
        _("正在重新打开"),
        _("已留底 %(done)s / %(asked)s 位导购的提成单"),
        _("可以离开这个页面，会在后台继续。完成以后月份回到未结算，原来的提成单留底、不再算数。"),
    ),
}


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


def standing(row: CommissionMonth | None) -> dict[str, Any]:
    """How far a worker is."""
    if row is None or row.begun_at is None or row.state not in WORKED_AT:
        return {}
    title, done_words, note = WORKED_AT[row.state]
    asked = len(row.guide_refs)
    seconds = (clock.now() - row.begun_at).total_seconds()
    left = (asked - row.done_count) * seconds / row.done_count if row.done_count else 0
    return {
        "working_title": title,
        "done_words": done_words % {"done": thousands(row.done_count), "asked": thousands(asked)},
        "note": note,
        "percent": 100 * row.done_count // asked if asked else 100,
        "minutes_left": math.ceil(left / 60),
        "may_stop": row.state == "preparing",
    }


def _prepare(page: BaseAdmin, request: HttpRequest, month_on: dt.date) -> HttpResponse:
    def run(cleaned: dict[str, Any]) -> str:
        services.begin_commission(month_on=month_on, actor=staff_actor(request))
        return _now("开始生成提成单，会在后台继续；生成完请核对后确认关账")

    lines = [
        _now("按现在的规则和业绩流水给每位导购生成提成单，供您核对；确认之前可以退回重来"),
        _now("生成期间不能修改提成规则"),
        _now("生成之后才到的单据、退货和更正，记到下一个月"),
    ]
    return ask(page, request, _question(month_on, _("生成提成单"), lines), run)


def _discard(page: BaseAdmin, request: HttpRequest, month_on: dt.date) -> HttpResponse:
    def run(cleaned: dict[str, Any]) -> str:
        services.begin_discard(month_on=month_on, actor=staff_actor(request))
        return _now("开始退回，会在后台继续；退完以后可以改规则、再生成")

    count, _sums = selectors.count_commissions(month_on)
    lines = [
        _now("作废已生成的 %(n)s 份提成单，月份回到未结算") % {"n": thousands(count)},
        _now("导购在手机上又会看到按现在业绩算出的数"),
    ]
    return ask(page, request, _question(month_on, _("退回"), lines), run)


def _close(page: BaseAdmin, request: HttpRequest, month_on: dt.date) -> HttpResponse:
    count, sums = selectors.count_commissions(month_on)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    form = type("SeenForm", (forms.Form,), {"payable_fen": seen})(
        bound_data(request), initial={"payable_fen": sums["payable_fen"]}
    )

    def run(cleaned: dict[str, Any]) -> str:
        closed = services.close_commission(
            month_on=month_on, payable_fen=cleaned["payable_fen"] or 0, actor=staff_actor(request)
        )
        return _now("已关账，共 %(n)s 份提成单") % {"n": thousands(closed)}

    lines = [
        _now("%(n)s 位导购，应发合计 %(sum)s") % {"n": thousands(count), "sum": yuan(sums["payable_fen"])},
        _now("关账后提成单不能再改；以后的退货和更正在下一个月追回"),
    ]
    return ask(page, request, _question(month_on, _("确认关账"), lines), run, form=form)


def _reopen(page: BaseAdmin, request: HttpRequest, month_on: dt.date) -> HttpResponse:
    def run(cleaned: dict[str, Any]) -> str:
        services.begin_reopen(month_on=month_on, reason=cleaned["reason"], actor=staff_actor(request))
        return _now("开始重新打开，会在后台继续；完成后改好再生成和关账")

    count, sums = selectors.count_commissions(month_on)
    lines = [
        _now("%(n)s 份提成单、应发合计 %(sum)s 不再算数，原来的会留底")
        % {"n": thousands(count), "sum": yuan(sums["payable_fen"])},
        _now("已经发给导购的提成单可能会变，请先和她们说好"),
    ]
    question = _question(month_on, _("重新打开"), lines, is_dangerous=True)
    return ask(page, request, question, run, form=ReasonForm(bound_data(request)))


DECISIONS: Final[dict[str, Callable[[BaseAdmin, HttpRequest, dt.date], HttpResponse]]] = {
    "prepare": _prepare,
    "discard": _discard,
    "close": _close,
    "reopen": _reopen,
}


def _question(month_on: dt.date, title: Any, lines: list[str], *, is_dangerous: bool = False) -> Question:
    return Question(
        title=f"{title} · {month_words(month_on)}",
        submit=title,
        back_url=reverse("admin:sales_commission_month", args=[f"{month_on:%Y-%m}"]),
        lines=lines,
        is_dangerous=is_dangerous,
    )
