"""What a target is set for, and how its numbers are written and read."""

import dataclasses
from decimal import Decimal, InvalidOperation
from typing import Literal

from core.admin import thousands
from sales import selectors
from sales.admin.words import yuan
from sales.contracts import MetricName
from sales.models import MONEY_METRICS, TARGET_METRICS, Metric

_MOST: Decimal = Decimal(10**12)


@dataclasses.dataclass(frozen=True, slots=True)
class TargetUnit:
    """A metric that targets are set for: yuan, or pieces."""

    metric: MetricName

    @property
    def label(self) -> str:
        return str(Metric(self.metric).label)

    @property
    def is_money(self) -> bool:
        return self.metric in MONEY_METRICS

    @property
    def column_kind(self) -> Literal["fen", "count"]:
        """Of a workbook."""
        return "fen" if self.is_money else "count"

    @property
    def query(self) -> str:
        """What an address has besides the month; nothing for sales."""
        return "" if self.metric == "sales_fen" else f"&metric={self.metric}"

    def say(self, value: int | None) -> str:
        """¥1,280 or 1,280; a dash for nothing known."""
        if self.is_money:
            return yuan(value)
        return "—" if value is None else thousands(value)

    def field(self, value: int | None) -> str:
        """As a cell of the grid holds it."""
        if value is None:
            return ""
        return f"{value / 100:,.2f}".removesuffix(".00") if self.is_money else f"{value:,}"

    def read(self, text: str) -> int | None:
        """The value of a cell; None for an empty one. Raises InvalidOperation for what is no amount, or no whole number
        where pieces are counted."""
        plain = text.strip().replace(",", "").replace("，", "").removeprefix("¥")
        if not plain:
            return None
        value = Decimal(plain)
        places = 2 if self.is_money else 0
        if not value.is_finite() or not 0 <= value <= _MOST or value != round(value, places):
            raise InvalidOperation
        return int(value * 100 if self.is_money else value)


def list_units() -> tuple[TargetUnit, ...]:
    """What targets can be set for."""
    offered = set(selectors.list_offered_metrics())
    return tuple(TargetUnit(one.value) for one in TARGET_METRICS if one.value in offered)


def read_unit(text: str) -> TargetUnit:
    """The one that an address asks for; sales for anything else."""
    return next((unit for unit in list_units() if unit.metric == text), TargetUnit("sales_fen"))
