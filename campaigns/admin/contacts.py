"""沟通矩阵: what members are worth and how active they are, against what they were sent."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.segment_sight import people_url
from campaigns.contracts import CHANNEL_LABELS
from campaigns.contracts.contacts import ContactMatrix, ContactTally
from campaigns.models import UNBOUGHT, ContactMonth, Importance
from campaigns.selectors.contacts import get_contact_matrix
from core import clock
from core.admin import ReadOnlyAdmin, narrow, percent, rule_url, thousands, when
from core.workbooks import Sheet, workbook_answer
from sales import selectors as sale_selectors

# From these shares on a cell has too much, or too little.
OVER_BP: Final = 3_000
UNDER_BP: Final = 7_000
_MONTHS: Final = 12
_BANDS: Final = (_("0 条"), _("1 条"), _("2–3 条"), _("4 条以上"))
_VERDICTS: Final = {"over": _("发得多"), "under": _("发得少"), "": ""}


class Asked:
    """A request's question; what is unknown is the usual: this month, any channel, any importance."""

    def __init__(self, request: HttpRequest) -> None:
        this = clock.today().replace(day=1)
        self.months = [this]
        while len(self.months) < _MONTHS:
            self.months.append((self.months[-1] - dt.timedelta(days=1)).replace(day=1))
        words = request.GET.get("month", "")
        self.month_on = next((one for one in self.months if f"{one:%Y-%m}" == words), this)
        self.channel = next((one for one in CHANNEL_LABELS if one == request.GET.get("channel")), "")
        self.importance = next((one for one in Importance.values if one == request.GET.get("importance")), "")
        self.store_ids: set[int] | None = None
        if not request.user.is_superuser:
            model = apps.get_model("guides", "Store")
            rows = narrow(model, request.user, model._default_manager.all())
            self.store_ids = set(rows.values_list("pk", flat=True))

    @property
    def address(self) -> str:
        values = {"month": f"{self.month_on:%Y-%m}", "channel": self.channel, "importance": self.importance}
        return "?" + urlencode({name: value for name, value in values.items() if value})

    @property
    def until(self) -> dt.date:
        """The last day of the month."""
        return (self.month_on + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)

    def matrix(self) -> ContactMatrix:
        return get_contact_matrix(
            self.month_on, channel=self.channel, importance=self.importance, store_ids=self.store_ids
        )

    def fields(self) -> list[dict[str, Any]]:
        """The choices of the form."""
        months = [(f"{one:%Y-%m}", f"{one:%Y-%m}", one == self.month_on) for one in self.months]
        channels = [(key, label, key == self.channel) for key, label in CHANNEL_LABELS.items()]
        levels = [(one.value, one.label, one.value == self.importance) for one in Importance]
        return [
            {"name": "month", "label": _("月份"), "options": months},
            {
                "name": "channel",
                "label": _("通道"),
                "options": [("", _("全部通道"), not self.channel), *channels],
            },
            {
                "name": "importance",
                "label": _("重要程度"),
                "options": [("", _("全部"), not self.importance), *levels],
            },
        ]

    def rule(self, group: int, stage: str, verdict: str) -> dict[str, Any]:
        """The members of a cell as a segment's rule; of one that has too much or too little those who do, and `left`: those
        who turned away."""
        parts: list[dict[str, Any]] = [{"is": "sales.life_stage", "with": {"stages": [stage]}}]
        if group != UNBOUGHT:
            parts.insert(0, {"is": "sales.rfm_group", "with": {"groups": [group]}})
        reached: dict[str, Any] = {
            "when": {"from": self.month_on.isoformat(), "until": self.until.isoformat()}
        }
        reached |= {"channels": [self.channel]} if self.channel else {}
        reached |= {"importances": [self.importance]} if self.importance else {}
        if verdict == "over":
            parts.append({"is": "campaigns.reached", "with": {**reached, "at_least": 4}})
        elif verdict == "under":
            parts.append({"none": [{"is": "campaigns.reached", "with": reached}]})
        elif verdict == "left":
            parts.append({"is": "campaigns.turned_away", "with": reached})
        return {"all": parts}


@admin.register(ContactMonth)
class ContactMonthAdmin(ReadOnlyAdmin):
    """Not a list of months: the matrix of one, of the part of the chain that the account sees."""

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "campaigns_contacts_export", self.export_view),)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The matrix."""
        asked = self._asked(request)
        matrix = asked.matrix()
        whole = sum(matrix.tallies.values(), ContactTally())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("沟通矩阵"),
            "fields": asked.fields(),
            "counted": when(matrix.counted_at) if matrix.counted_at else "",
            "is_part": asked.store_ids is not None,
            "tiles": _tiles(whole),
            "has_members": whole.member_count > 0,
            "stages": [label for _stage, label in sale_selectors.list_buyer_stages()],
            "rows": _rows(request, asked, matrix),
            "bands": list(enumerate(_BANDS)),
            "how": how_words(),
            "export_url": reverse("admin:campaigns_contacts_export") + asked.address,
        }
        return TemplateResponse(request, "admin/xiaoer/contacts.html", context)

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The cells as a workbook."""
        asked = self._asked(request)
        matrix, names = asked.matrix(), _group_names()
        stages = {**dict(sale_selectors.list_buyer_stages()), "unbought": _now("未消费")}
        sheet = Sheet(
            _now("沟通矩阵"),
            [
                (_now("客群"), "text"), (_now("生命周期"), "text"), (_now("会员"), "count"), (_now("拒收"), "count"),
                *((str(band), "count") for band in _BANDS), (_now("消息数"), "count"), (_now("读过"), "count"),
                (_now("点开"), "count"), (_now("7 天内购买"), "count"), (_now("退出"), "count"),
            ],
            (
                [
                    names[group], str(stages[stage]), one.member_count, one.barred_count, *one.by_band, one.message_count,
                    one.reader_count, one.clicker_count, one.buyer_count, one.leaver_count,
                ]
                for (group, stage), one in sorted(matrix.tallies.items(), reverse=True)
            ),
        )  # fmt: skip
        told = Sheet(_now("说明"), [(_now("这些数怎么算"), "text")], [[words] for words in how_words()])
        return workbook_answer(
            name=_now("沟通矩阵_%(month)s") % {"month": f"{asked.month_on:%Y-%m}"}, sheets=[sheet, told]
        )

    def _asked(self, request: HttpRequest) -> Asked:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return Asked(request)


def how_words() -> list[str]:
    """How each number is worked out."""
    return [
        _now("行是 RFM 客群，列是生命周期，都按会员现在的状态；会员含泛会员，不含已合并和已注销的。"),
        _now("条数：这个月实际发出的消息，按发出的那天算，必须告知的也算。换通道补发的只算发成的那一条。"),
        _now(
            "读过：打开过这个月的站内信；其他通道没有已读回执。点开：打开过这个月的活动消息里的页面。"
            "7 天内购买：第一条消息当天起的 7 天里买了东西，退光的不算。"
        ),
        _now(
            "退出：从这个月第一条消息当天到最后一条之后 7 天，取消关注、拉黑、回复退订或撤回营销授权；后来又关注的不算取消关注。"
        ),
        _now("拒收：公众号或小程序现在发不到的会员，比如取消关注、拒绝接收。"),
        _now("发得多：4 条以上的会员达到 %(over)d%%；发得少：一条没有的达到 %(under)d%%。")
        % {"over": OVER_BP // 100, "under": UNDER_BP // 100},
        _now("全公司的每小时统计一次，下月 9 日后不再变；部分门店的随时计算，按专属导购所在门店。"),
    ]


def verdict_of(one: ContactTally) -> str:
    """over, under, or empty for what is in order or nobody."""
    if not one.member_count:
        return ""
    if one.by_band[3] * 10_000 >= OVER_BP * one.member_count:
        return "over"
    return "under" if one.by_band[0] * 10_000 >= UNDER_BP * one.member_count else ""


def _group_names() -> Mapping[int, str]:
    names = sale_selectors.get_rfm_rules().group_names
    return {**dict(enumerate(names)), UNBOUGHT: _now("未消费")}


def _rows(request: HttpRequest, asked: Asked, matrix: ContactMatrix) -> list[dict[str, Any]]:
    """The worthiest group first; who has not bought has no stages, and the last row."""
    stages, rows = sale_selectors.list_buyer_stages(), []
    for group, name in sorted(_group_names().items(), reverse=True):
        of_group = {stage: one for (its_group, stage), one in matrix.tallies.items() if its_group == group}

        def cell(stage: str, name: str, group: int = group, of_group: Any = of_group) -> dict[str, Any]:
            return _cell(request, asked, (group, stage), name, of_group.get(stage, ContactTally()))

        is_bought = group != UNBOUGHT
        rows.append({
            "name": name,
            "cells": [cell(stage, f"{name} {label}") for stage, label in stages] if is_bought else [],
            "whole": _shown(sum(of_group.values(), ContactTally())) if is_bought else cell("unbought", name),
        })  # fmt: skip
    return rows


def _cell(
    request: HttpRequest, asked: Asked, key: tuple[int, str], name: str, one: ContactTally
) -> dict[str, Any]:
    """Its members as a list, and as a segment, as far as the account may have either."""
    shown = _shown(one)
    if not one.member_count:
        return shown

    def links(verdict: str, words: Any) -> tuple[str, str]:
        rule, title = asked.rule(*key, verdict), f"{asked.month_on:%Y-%m} {name} {words}".strip()
        return people_url(request, rule, title), rule_url(request, rule, title)

    people, keep = links(shown["verdict"], shown["verdict_words"])
    left = next(filter(None, links("left", _("收到后退出"))), "") if one.leaver_count else ""
    return shown | {"url": people or keep, "keep_url": keep if people else "", "left_url": left}


def _shown(one: ContactTally) -> dict[str, Any]:
    verdict = verdict_of(one)
    return {
        "count": thousands(one.member_count) if one.member_count else "",
        "mean": f"{one.message_count / one.member_count:.1f}" if one.member_count else "",
        "shares": [
            (band, str(_BANDS[band]), round(count * 100 / one.member_count, 1), thousands(count))
            for band, count in enumerate(one.by_band)
        ] if one.member_count else [],
        "parts": _parts(one),
        "has_reached": one.reached_count > 0,
        "read": percent(one.reader_count, one.reached_count),
        "clicked": percent(one.clicker_count, one.reached_count),
        "bought": percent(one.buyer_count, one.reached_count),
        "left": thousands(one.leaver_count) if one.leaver_count else "",
        "barred": thousands(one.barred_count) if one.barred_count else "",
        "verdict": verdict,
        "verdict_words": _VERDICTS[verdict],
        "url": "", "keep_url": "", "left_url": "",
    }  # fmt: skip


def _parts(one: ContactTally) -> list[tuple[int, float, float]]:
    """Band, beginning and width of each piece of the bar, of a hundred."""
    parts, at = [], 0.0
    for band, count in enumerate(one.by_band):
        width = round(count * 100 / (one.member_count or 1), 2)
        if width:
            parts.append((band, round(at, 2), width))
        at += width
    return parts


def _tiles(whole: ContactTally) -> list[tuple[Any, str]]:
    return [
        (_("会员"), thousands(whole.member_count)),
        (_("这个月收到过消息"), percent(whole.reached_count, whole.member_count)),
        (_("4 条以上"), percent(whole.by_band[3], whole.member_count)),
        (_("收到的人里读过站内信"), percent(whole.reader_count, whole.reached_count)),
        (_("收到的人里点开活动页面"), percent(whole.clicker_count, whole.reached_count)),
        (_("收到的人里 7 天内购买"), percent(whole.buyer_count, whole.reached_count)),
        (_("收到后退出"), thousands(whole.leaver_count)),
        (_("拒收"), thousands(whole.barred_count)),
    ]
