"""Commission rules are written, with refusals that a shop owner understands; and a worked example of one."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from sales.errors import CommissionBeingPrepared, CommissionRuleUnusable, NoSuchCommissionRule
from sales.models import BountyMetric, CommissionKind, CommissionMonth, CommissionRule, StepMode
from sales.selectors.commission_terms import CommissionTerms, Step, bonus_fen, price_bases
from sales.services.commission_preparing import hold_commission

_MOST_STEPS: Final = 10
_MOST_RATE_BP: Final = 5_000
_MOST_FEN: Final = 10**12
_FIELDS: Final = (
    "position", "name", "kind", "mode", "steps", "bounty_metric", "bounty_fen", "category_codes", "region_ids",
    "dealer_ids", "role", "starts_on", "ends_on", "is_active",
)  # fmt: skip


def write_commission_rule(
    *, values: Mapping[str, Any], rule_id: int | None = None, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The rule says this from now on; its id. Closed statements keep what they said. Refuses what cannot be applied,
    naming the field and what to change, and any change while statements are being written."""
    cleaned = _check({name: values[name] for name in _FIELDS})
    try:
        with transaction.atomic():
            hold_commission()
            if CommissionMonth.objects.preparing().exists():
                raise CommissionBeingPrepared
            if rule_id is None:
                row = CommissionRule.objects.create(**cleaned)
            else:
                rows = CommissionRule.objects.lock_all([rule_id])
                if not rows:
                    raise NoSuchCommissionRule
                row = rows[0]
                for name, value in cleaned.items():
                    setattr(row, name, value)
                row.save(update_fields=list(_FIELDS))
            audit.record(
                action="sales.commission_rule_written",
                subject=row,
                actor=actor,
                at=at or clock.now(),
                is_new=rule_id is None,
            )
    except IntegrityError as error:
        if "position" in violated(error):
            raise CommissionRuleUnusable(_("这个顺序已经有规则了，请换一个数"), field="position") from None
        raise
    return row.pk


def work_commission_example(*, terms: CommissionTerms) -> tuple[str, ...]:
    """The rule in sentences, with numbers near its steps."""
    if terms.kind == "bounty":
        label = dict(BountyMetric.choices)[BountyMetric(terms.bounty_metric)]
        sums = {"label": label, "fen": _yuan(terms.bounty_fen), "three": _yuan(3 * terms.bounty_fen)}
        return (_("一个月有 3 位%(label)s：3 × %(fen)s = %(three)s") % sums,)
    if terms.kind == "target":
        return tuple(_target_words(terms))
    told = []
    for amount in _amounts_near(terms.steps):
        priced = price_bases(terms, [amount])[0]
        told.append(
            _("一个月卖 %(amount)s：提成 %(fen)s，合 %(rate)s%%")
            % {"amount": _yuan(amount), "fen": _yuan(priced.fen), "rate": f"{priced.rate_bp / 100:g}"}
        )
    return tuple(told)


def _amounts_near(steps: Sequence[Step]) -> list[int]:
    if len(steps) < 2:
        return [1_000_000]
    last = steps[-1].start
    return [steps[1].start // 2, last, last + steps[1].start // 2]


def _target_words(terms: CommissionTerms) -> list[str]:
    target = 10_000_000
    told = []
    for step in terms.steps:
        done = -(-target * step.start // 10_000)
        fen, _step = bonus_fen(terms, done_fen=done, target_fen=target)
        told.append(
            _("目标 %(target)s，卖到 %(done)s（%(percent)s%%）：奖 %(fen)s")
            % {
                "target": _yuan(target),
                "done": _yuan(done),
                "percent": f"{step.start / 100:g}",
                "fen": _yuan(fen),
            }
        )
    return told


def _yuan(fen: int) -> str:
    return f"¥{fen / 100:,.2f}".removesuffix(".00")


def _check(values: dict[str, Any]) -> dict[str, Any]:
    """The values as they are stored."""
    _refuse_unless(1 <= len(values["name"].strip()) <= 40, "name", _("规则要有名称，最多 40 个字"))
    starts, ends = values["starts_on"], values["ends_on"]
    _refuse_unless(starts is None or ends is None or starts <= ends, "ends_on", _("结束日期要在开始日期之后"))
    if values["kind"] == CommissionKind.BOUNTY:
        _refuse_unless(values["bounty_metric"] in BountyMetric.values, "bounty_metric", _("请选择奖励什么"))
        _refuse_unless(0 < values["bounty_fen"] <= _MOST_FEN, "bounty_fen", _("每人奖励要大于 0 元"))
        return values | {"steps": [], "mode": StepMode.PROGRESSIVE, "category_codes": []}
    steps = [list(step) for step in values["steps"]]
    _refuse_unless(1 <= len(steps) <= _MOST_STEPS, "steps", _("至少写一档，最多 10 档"))
    begins = [step[0] for step in steps]
    _refuse_unless(begins == sorted(set(begins)), "steps", _("每一档的起点要比上一档大，请从小到大填写"))
    for step in steps:
        _refuse_unless(
            0 <= step[1] <= _MOST_RATE_BP and 0 <= step[2] <= _MOST_FEN,
            "steps",
            _("提成比例要在 0% 到 50% 之间，奖金不能是负数"),
        )
    if values["kind"] == CommissionKind.SALES:
        _refuse_unless(begins[0] == 0, "steps", _("第一档要从 0 元开始，不然前面卖的没有提成"))
        _refuse_unless(not any(step[2] for step in steps), "steps", _("固定奖金请写在目标奖里"))
    else:
        _refuse_unless(
            begins[0] > 0 and begins[-1] <= 100_000, "steps", _("目标奖的起点是完成率，要在 1% 到 1000% 之间")
        )
        values = values | {"category_codes": []}
    return values | {"steps": steps, "bounty_metric": "", "bounty_fen": 0}


def _refuse_unless(holds: bool, field: str, sentence: str) -> None:
    if not holds:
        raise CommissionRuleUnusable(sentence, field=field)
