"""RFM as people read it: groups, cells, filters kept in the page's address."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import percent, thousands
from sales.contracts import RfmCell, RfmGroupLine, RfmRules
from sales.models import GROUPS, SCORES, IntervalTier, LifeStage, MemberMetrics

_NEW: Final = "new"  # who had not bought by the end of last month
_SHADES: Final = 9


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What a list is narrowed to. Anything that is no number of ours is no filter."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, request: HttpRequest) -> "Asked":
        """The filters in the address of a page."""
        found: dict[str, str] = {}
        for name, most in (
            ("r", SCORES),
            ("f", SCORES),
            ("m", SCORES),
            ("group", GROUPS - 1),
            ("before", GROUPS - 1),
        ):
            text = request.GET.get(name, "")
            if (text.isascii() and text.isdecimal() and len(text) == 1 and int(text) <= most) or (
                name == "before" and text == _NEW
            ):
                found[name] = text
        for name, choices in (("stage", LifeStage.values), ("interval", IntervalTier.values)):
            if request.GET.get(name) in choices:
                found[name] = request.GET[name]
        found |= {name: "1" for name in ("falling", "due") if request.GET.get(name) == "1"}
        return cls(found)

    def narrow(self, rows: QuerySet[MemberMetrics], today: dt.date) -> QuerySet[MemberMetrics]:
        """Buyers who fit."""
        fields = {"r": "recency_score", "f": "frequency_score", "m": "money_score", "group": "rfm_group"}
        rows = rows.filter(rfm_group__isnull=False)
        rows = rows.filter(**{fields[name]: value for name, value in self.values.items() if name in fields})
        if "before" in self.values:
            before = self.values["before"]
            rows = rows.filter(before_group=None if before == _NEW else before)
        for name, column in (("stage", "stage"), ("interval", "interval_tier")):
            if name in self.values:
                rows = rows.filter(**{column: self.values[name]})
        if "falling" in self.values:
            rows = rows.exclude(coming_group=F("rfm_group"))
        if "due" in self.values:
            rows = rows.filter(
                next_on__lte=today + dt.timedelta(days=7), next_on__gte=today - dt.timedelta(days=30)
            )
        return rows

    def url(self, **changes: Any) -> str:
        """The address with some filters changed; None takes one away."""
        values = {**self.values, **changes}
        given = {name: value for name, value in values.items() if value is not None}
        return f"?{urlencode(given)}" if given else "?"

    def words(self, rules: RfmRules) -> list[str]:
        """Each filter in a few words."""
        told: list[str] = []
        for name, value in self.values.items():
            if name in {"r", "f", "m"}:
                told.append(f"{name.upper()} = {value}")
            elif name == "group":
                told.append(rules.group_names[int(value)])
            elif name == "before":
                stood = _now("未消费") if value == _NEW else rules.group_names[int(value)]
                told.append(_now("上月末：%(group)s") % {"group": stood})
            elif name == "stage":
                told.append(str(LifeStage(value).label))
            elif name == "interval":
                told.append(str(IntervalTier(value).label))
            else:
                told.append(_now("一个月内不消费会降级") if name == "falling" else _now("到了回购的时候"))
        return told


def grid_of(cells: Sequence[RfmCell], *, members_url: str = "") -> list[dict[str, Any]]:
    """Rows of the heat map, the best recency first: each cell has its members, money, shade and link."""
    known = {(cell.recency, cell.frequency): cell for cell in cells}
    most = max((cell.member_count for cell in cells), default=0)
    whole = sum(cell.member_count for cell in cells)
    return [
        {
            "score": recency,
            "cells": [
                _cell_of(known.get((recency, f)) or RfmCell(recency, f, 0, 0), most, whole, members_url)
                for f in range(1, SCORES + 1)
            ],
        }
        for recency in range(SCORES, 0, -1)
    ]


def _cell_of(cell: RfmCell, most: int, whole: int, members_url: str) -> dict[str, Any]:
    count = cell.member_count
    # The square root, so that one full cell leaves the others apart.
    shade = 0 if not count else max(1, round(_SHADES * (count / most) ** 0.5))
    return {
        "count": thousands(count),
        "share": percent(count, whole) if count else "",
        "fen": big_money(cell.amount_fen),
        "shade": shade,
        "url": f"{members_url}?r={cell.recency}&f={cell.frequency}" if members_url and count else "",
    }


def group_lines(lines: Sequence[RfmGroupLine], rules: RfmRules, members_url: str) -> list[dict[str, Any]]:
    """The table of groups."""
    whole = sum(line.member_count for line in lines)
    return [
        {
            "name": rules.group_names[line.group],
            "url": f"{members_url}?group={line.group}",
            "count": thousands(line.member_count),
            "share": percent(line.member_count, whole) if whole else "—",
            "basket": big_money(line.amount_fen // line.member_count) if line.member_count else "—",
            "amount": big_money(line.amount_fen),
            "before": thousands(line.before_count),
            "change": line.member_count - line.before_count,
            "falling": thousands(line.falling_count),
            "falling_url": f"{members_url}?group={line.group}&falling=1" if line.falling_count else "",
        }
        for line in lines
    ]


def move_rows(
    moves: Mapping[tuple[int | None, int], int], rules: RfmRules, members_url: str
) -> list[dict[str, Any]]:
    """The matrix of movement: a row for where they stood, a column for where they stand, the worthiest first."""
    order = list(reversed(range(GROUPS)))
    rows: list[tuple[int | None, str, str]] = [
        (group, rules.group_names[group], str(group)) for group in order
    ]
    rows.append((None, _now("未消费"), _NEW))
    return [
        {
            "name": name,
            "cells": [
                {
                    "count": thousands(count) if (count := moves.get((before, now), 0)) else "",
                    "url": f"{members_url}?before={word}&group={now}",
                    "kind": _kind(before, now),
                }
                for now in order
            ],
            "total": thousands(sum(moves.get((before, now), 0) for now in order)),
        }
        for before, name, word in rows
    ]


def _kind(before: int | None, now: int) -> str:
    if before is None or before == now:
        return "new" if before is None else "same"
    return "up" if now > before else "down"


def big_money(fen: int) -> str:
    """Whole yuan; large sums in 万."""
    yuan = fen / 100
    return f"¥{yuan / 10_000:,.1f} 万" if abs(yuan) >= 10_000 else f"¥{yuan:,.0f}"


COLUMN_WORDS: Final = (
    _("会员"), _("客群"), "R", "F", "M", _("最近消费"), _("近 12 个月订单"), _("近 12 个月消费"), _("客单价"),
    _("生命周期"), _("预计下次"), _("一个月后"),
)  # fmt: skip

RULE_WORDS: Final = {
    "mode": _("分档方式"),
    "recency_cuts": _("R 分档"),
    "frequency_cuts": _("F 分档"),
    "money_cuts": _("M 分档"),
    "recency_high": _("R 高分"),
    "frequency_high": _("F 高分"),
    "money_high": _("M 高分"),
    "group_names": _("客群名称"),
    "price_cuts": _("价格带"),
    "new_days": _("新客天数"),
    "stage_days": _("生命周期天数"),
}
