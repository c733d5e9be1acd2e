"""Which metrics can be asked for: those of orders, and of facts that somebody counts."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sales.contracts import FactKindName, FactNote, MetricName
from sales.models import FACT_METRICS, FactKind, Metric

# Counted by `sales` itself, from rows that other apps keep.
OWN_KINDS: Final[tuple[FactKindName, ...]] = ("member", "binding", "redemption", "task")
_FACTS: Final = frozenset(metric.value for metric in FACT_METRICS.values())
_counted: set[str] = set(OWN_KINDS)
Describe = Callable[[Collection[int]], Sequence[FactNote]]
_describers: dict[str, Describe] = {}


def count_kind(kind: FactKindName, *, describe: Describe | None = None) -> None:
    """From now on somebody records facts of this kind: its metric is offered. Called by his app when it is ready.
    `describe` says what his rows with these ids were about, for whoever looks behind a number."""
    _counted.add(FactKind(kind).value)
    if describe is not None:
        _describers[FactKind(kind).value] = describe


def find_describer(kind: str) -> Describe | None:
    """Who says what facts of this kind were about, where that is an app above."""
    return _describers.get(kind)


def is_counted(kind: str) -> bool:
    """Whether somebody records facts of this kind."""
    return kind in _counted


def list_offered_metrics() -> tuple[MetricName, ...]:
    """In the order of the catalogue; a metric that nobody writes is none to choose."""
    missing = {FACT_METRICS[kind] for kind in FactKind if kind not in _counted}
    return tuple(metric.value for metric in Metric if metric not in missing)  # type: ignore[misc]


def offered_choices() -> list[tuple[str, str]]:
    """The same with their names, for a form."""
    return [(name, str(Metric(name).label)) for name in list_offered_metrics()]


def is_fact_metric(metric: str) -> bool:
    """Whether facts stand behind it, not orders."""
    return metric in _FACTS
