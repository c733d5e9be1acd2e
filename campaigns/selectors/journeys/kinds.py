"""The kinds of triggers and of steps: what each is called, what it asks to be told, how it reads."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.selectors.acts import ACT_KINDS
from campaigns.selectors.journeys.parameters import Moment, Rule, Time
from members.selectors.conditions import Choice, Choices, Parameter, Whole

Text = str | Promise
Values = Mapping[str, Any]
MOST_WAIT_DAYS: Final = 400
UNITS: Final = (("minutes", _("分钟")), ("hours", _("小时")), ("days", _("天")))
WEEKDAYS: Final = tuple(
    (str(number), label)
    for number, label in enumerate(
        (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")), start=1
    )
)


@dataclasses.dataclass(frozen=True, slots=True)
class TriggerKind:
    """`is_daily`: everybody is looked at once a Shanghai day, at the time under `at`."""

    code: str
    label: Text
    parameters: Mapping[str, Parameter]
    says: Callable[[Values], str]
    is_daily: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class StepKind:
    """`next_label`, `else_label`: what its two ways mean; it has no second one where the label is empty."""

    code: str
    label: Text
    parameters: Mapping[str, Parameter]
    says: Callable[[Values], str]
    next_label: Text = ""
    else_label: Text = ""
    waits: bool = False
    is_act: bool = False


_MOMENT: Final = Moment(label=_("事件"))
_RULE: Final = Rule(label=_("条件"))
_AT: Final = Time(label=_("几点"))
_BEFORE: Final = Whole(label=_("提前几天"), least=0, most=60, unit=_("天"))
_SPAN: Final = {
    "amount": Whole(label=_("多久"), least=1, most=100_000),
    "unit": Choice(label=_("单位"), options=UNITS),
    # Of days alone: who bought at 23:40 is not written to at 23:40.
    "at": Time(label=_("到那天几点（按天等）"), is_required=False),
}


def span_words(values: Values) -> str:
    """ "3 天"."""
    return f"{values['amount']} {dict(UNITS)[values['unit']]}"


def _wait_words(values: Values) -> str:
    if "at" not in values:
        return _now("等 %(span)s") % {"span": span_words(values)}
    return _now("等到%(when)s") % {"when": _day_words(values)}


def _wait_event_words(values: Values) -> str:
    event = _MOMENT.words(values["event"])
    if "at" not in values:
        return _now("等“%(event)s”，最多 %(span)s") % {"event": event, "span": span_words(values)}
    return _now("等“%(event)s”，最晚到%(when)s") % {"event": event, "when": _day_words(values)}


def _day_words(values: Values) -> str:
    """ "第二天 10:00", " 3 天后的 10:00"."""
    if values["amount"] == 1:
        return _now("第二天 %(at)s") % {"at": values["at"]}
    return _now(" %(n)s 天后的 %(at)s") % {"n": values["amount"], "at": values["at"]}


def _before_words(values: Values) -> str:
    if not values["days"]:
        return _now("当天")
    return _now("提前 %(n)s 天") % {"n": values["days"]}


TRIGGER_KINDS: Final[Mapping[str, TriggerKind]] = {
    kind.code: kind
    for kind in (
        TriggerKind(
            "moment", _("发生了一件事"), {"event": _MOMENT}, lambda values: _MOMENT.words(values["event"])
        ),
        TriggerKind(
            "birthday",
            _("生日"),
            {"days": _BEFORE, "at": _AT},
            lambda values: _now("生日%(when)s %(at)s") % {"when": _before_words(values), "at": values["at"]},
            True,
        ),
        TriggerKind(
            "joined_anniversary",
            _("入会周年"),
            {"days": _BEFORE, "at": _AT},
            lambda values: (
                _now("入会周年%(when)s %(at)s") % {"when": _before_words(values), "at": values["at"]}
            ),
            True,
        ),
        TriggerKind(
            "coupon_expiring",
            _("有券快到期"),
            {"days": _BEFORE, "at": _AT},
            lambda values: (
                _now("券到期%(when)s %(at)s") % {"when": _before_words(values), "at": values["at"]}
            ),
            True,
        ),
        TriggerKind(
            "points_expiring",
            _("有积分快到期"),
            {
                "days": _BEFORE,
                "at_least": Whole(label=_("至少多少分"), least=1, most=1_000_000_000, unit=_("分")),
                "at": _AT,
            },
            lambda values: (
                _now("积分到期%(when)s %(at)s") % {"when": _before_words(values), "at": values["at"]}
            ),
            True,
        ),
        TriggerKind(
            "asleep",
            _("多久没有购买"),
            {"days": Whole(label=_("多少天没有购买"), least=1, most=1_000, unit=_("天")), "at": _AT},
            lambda values: _now("满 %(n)s 天没有购买 %(at)s") % {"n": values["days"], "at": values["at"]},
            True,
        ),
        TriggerKind(
            "daily",
            _("每天看一次"),
            {"rule": _RULE, "at": _AT},
            lambda values: _now("每天 %(at)s 符合条件的会员") % {"at": values["at"]},
            True,
        ),
        TriggerKind("api", _("由别的系统送进来"), {}, lambda _values: _now("由开放接口送进来")),
    )
}
_FLOW: Final = (
    StepKind(
        "wait",
        _("等一段时间"),
        _SPAN,
        _wait_words,
        waits=True,
    ),
    StepKind(
        "wait_until",
        _("等到几点"),
        {
            "at": _AT,
            "weekdays": Choices(label=_("星期几（不选为任何一天）"), options=WEEKDAYS, is_required=False),
        },
        lambda values: (
            _now("等到%(days)s %(at)s")
            % {
                "days": _now("、").join(str(dict(WEEKDAYS)[day]) for day in values.get("weekdays") or ()),
                "at": values["at"],
            }
        ),
        waits=True,
    ),
    StepKind(
        "wait_event",
        _("等一件事发生"),
        {"event": _MOMENT, **_SPAN},
        _wait_event_words,
        _("发生了"),
        _("没等到"),
        waits=True,
    ),
    StepKind(
        "branch_rule",
        _("按条件分"),
        {"rule": _RULE},
        lambda values: _now("%(rule)s？") % {"rule": _RULE.words(values["rule"])},
        _("是"),
        _("否"),
    ),
    StepKind(
        "branch_event",
        _("按事情有没有发生分"),
        {"event": _MOMENT},
        lambda values: _now("进来以后%(event)s？") % {"event": _MOMENT.words(values["event"])},
        _("是"),
        _("否"),
    ),
    StepKind(
        "branch_share",
        _("按比例分"),
        {"percent": Whole(label=_("百分之几走第一条路"), least=1, most=99, unit="%")},
        lambda values: _now("%(n)s%% 的会员") % {"n": values["percent"]},
        _("这一份"),
        _("其余"),
    ),
)
STEP_KINDS: Final[Mapping[str, StepKind]] = {
    **{
        kind.code: StepKind(
            kind.code, kind.label, kind.parameters, kind.says, _("做成了"), _("没做成"), is_act=True
        )
        for kind in ACT_KINDS.values()
    },
    **{kind.code: kind for kind in _FLOW},
}
