"""What commission is computed from: entries that no statement has settled, their documents, and settled lines."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from django.db import connection

from core.shares import split
from guides import selectors as guide_selectors
from sales.models import (
    BountyMetric,
    CommissionKind,
    CommissionMonth,
    CommissionRule,
    CommissionState,
    CommissionStatement,
    Metric,
)
from sales.selectors.commission_terms import CommissionTerms, Standing, Step
from sales.selectors.spans import add_months

_METRICS: Final = [str(Metric.SALES_FEN), *(str(metric) for metric in BountyMetric)]
_DUE: Final = """
SELECT entry.id, entry.due_on, entry.guide_id, entry.store_id, entry.metric, entry.value, entry.sale_ref,
       entry.return_ref, entry.reversed_entry_id
FROM sales_performanceentry entry
WHERE entry.guide_id = ANY(%(guides)s::bigint[]) AND entry.metric = ANY(%(metrics)s)
  AND entry.booked_on >= %(begin)s AND entry.booked_on < %(end)s
  AND (entry.booked_on >= %(since)s OR entry.id > %(horizon)s)
  AND NOT EXISTS (SELECT 1 FROM sales_commissionline line WHERE line.entry_ref = entry.id AND line.is_live)
ORDER BY entry.due_on, entry.id
"""
# A look into the index for each guide, not at a million entries.
_WITH_ENTRIES: Final = """
SELECT guide.id FROM guides_guide guide WHERE EXISTS (
    SELECT 1 FROM sales_performanceentry entry WHERE entry.guide_id = guide.id AND entry.metric = ANY(%(metrics)s)
      AND entry.booked_on >= %(begin)s AND entry.booked_on < %(end)s
      AND (entry.booked_on >= %(since)s OR entry.id > %(horizon)s))
"""
_ORDERS: Final = """
SELECT DISTINCT other.id, other.source, other.order_no, other.amount_fen, other.business_on
FROM sales_sale said JOIN sales_sale other ON other.source = said.source AND other.order_no = said.order_no
WHERE said.id = ANY(%(ids)s::bigint[])
"""
_GOODS: Final = """
SELECT sale_id, number, category_code, amount_fen FROM sales_saleline WHERE sale_id = ANY(%(ids)s::bigint[])
"""
_RETURNED: Final = """
SELECT given.id, given.return_no, coalesce(line.sale_line_number, 0), coalesce(line.amount_fen, 0)
FROM sales_salereturn given LEFT JOIN sales_salereturnline line ON line.sale_return_id = given.id
WHERE given.id = ANY(%(ids)s::bigint[])
"""
_SETTLED: Final = """
SELECT line.id, statement.guide_id, month.month_on, line.kind, line.store_id, line.sale_ref, line.entry_ref,
       line.category_code, line.base_fen, line.fen, line.rate_bp, line.unit_count, line.share_bp, line.document_no,
       line.rule_id, line.rule_words
FROM sales_commissionline line JOIN sales_commissionstatement statement ON statement.id = line.statement_id
JOIN sales_commissionmonth month ON month.id = statement.month_id
WHERE line.id IN (
    SELECT id FROM sales_commissionline WHERE is_live AND entry_ref = ANY(%(entries)s::bigint[])
    UNION SELECT id FROM sales_commissionline WHERE is_live AND sale_ref = ANY(%(sales)s::bigint[]))
  AND statement.guide_id = ANY(%(guides)s::bigint[])
ORDER BY line.id
"""
_NEVER: Final = 2**62


class Entry(NamedTuple):
    """A ledger entry of a guide."""

    id: int
    due_on: dt.date
    guide_id: int
    store_id: int
    metric: str
    value: int
    sale_ref: int | None
    return_ref: int | None
    reversed_entry: int | None


class SoldOrder(NamedTuple):
    """One revision of an order."""

    id: int
    source: str
    order_no: str
    amount_fen: int
    business_on: dt.date


class SettledLine(NamedTuple):
    """A live line of an earlier statement."""

    id: int
    guide_id: int
    month_on: dt.date
    kind: str
    store_id: int
    sale_ref: int | None
    entry_ref: int | None
    category_code: str
    base_fen: int
    fen: int
    rate_bp: int
    unit_count: int
    share_bp: int
    document_no: str
    rule_id: int | None
    rule_words: str


@dataclasses.dataclass(frozen=True, slots=True)
class Reach:
    """Which entries a month's statements look at: booked from `since` on, and before it those that came later than the
    month before looked. `begin` is where commission began."""

    month_on: dt.date
    begin: dt.date
    since: dt.date
    horizon: int
    is_provisional: bool  # a month before is not closed yet

    @property
    def end(self) -> dt.date:
        return add_months(self.month_on, 1)

    def values(self) -> dict[str, Any]:
        """For the statements above."""
        return {
            "metrics": _METRICS,
            "begin": self.begin,
            "since": self.since,
            "end": self.end,
            "horizon": self.horizon,
        }


def reach_of(month_on: dt.date) -> Reach:
    """What the statements of an open month rest on."""
    first = CommissionMonth.objects.order_by("month_on").first()
    begin = month_on if first is None else first.month_on
    before = (
        CommissionMonth.objects.exclude(state=CommissionState.OPEN)
        .filter(month_on__lt=month_on)
        .order_by("-month_on")
        .first()
    )
    follows = before is not None and before.month_on == add_months(month_on, -1)
    return Reach(
        month_on,
        begin,
        max(month_on, begin),
        before.entry_horizon if before is not None and follows else _NEVER,
        begin < month_on and not (before is not None and follows and before.state == CommissionState.CLOSED),
    )


def guides_with_entries(reach: Reach, metrics: Sequence[str] = _METRICS) -> list[int]:
    """Who has anything of these metrics to settle, or a debt carried over from the month before; in order."""
    with connection.cursor() as cursor:
        cursor.execute(_WITH_ENTRIES, {**reach.values(), "metrics": list(metrics)})
        found = {row[0] for row in cursor.fetchall()}
    return sorted(found | set(carried_in(reach.month_on)))


def carried_in(month_on: dt.date, guide_ids: Collection[int] | None = None) -> dict[int, int]:
    """What guides still owe from the last closed month before, in fen below zero."""
    before = (
        CommissionMonth.objects.filter(month_on__lt=month_on, state=CommissionState.CLOSED)
        .order_by("-month_on")
        .first()
    )
    if before is None:
        return {}
    rows = CommissionStatement.objects.filter(month=before, is_live=True, carried_out_fen__lt=0)
    if guide_ids is not None:
        rows = rows.filter(guide_id__any_of=guide_ids)
    return dict(rows.values_list("guide_id", "carried_out_fen"))


def list_terms() -> tuple[CommissionTerms, ...]:
    """The active rules in their order."""
    return tuple(map(terms_of, CommissionRule.objects.active().order_by("position")))


def terms_of(rule: CommissionRule) -> CommissionTerms:
    """A rule's row as it is applied."""
    return CommissionTerms(
        id=rule.pk,
        position=rule.position,
        name=rule.name,
        kind=rule.kind,  # type: ignore[arg-type]
        mode=rule.mode,  # type: ignore[arg-type]
        steps=tuple(Step(*step) for step in rule.steps) if rule.kind != CommissionKind.BOUNTY else (),
        bounty_metric=rule.bounty_metric,
        bounty_fen=rule.bounty_fen,
        category_codes=frozenset(rule.category_codes),
        region_ids=frozenset(rule.region_ids),
        dealer_ids=frozenset(rule.dealer_ids),
        role=rule.role,  # type: ignore[arg-type]
        starts_on=rule.starts_on,
        ends_on=rule.ends_on,
    )


class Sources:
    """Everything that is read for the statements of some guides in one month; a fixed number of queries."""

    def __init__(
        self, reach: Reach, guide_ids: Sequence[int], *, entries: Sequence[Entry] | None = None
    ) -> None:
        """`entries`: only these, which were read already."""
        self.reach = reach
        self.entries = _due_entries(reach, guide_ids) if entries is None else list(entries)
        self._read_documents({entry.sale_ref for entry in self.entries if entry.sale_ref})
        self._read_returns({entry.return_ref for entry in self.entries if entry.return_ref})
        self._read_settled(guide_ids)
        self.carried_in = carried_in(reach.month_on, guide_ids)
        self._read_places(guide_ids)

    def order_of(self, sale_ref: int | None) -> tuple[str, str]:
        """What all revisions of one order have in common."""
        sale = self.sales.get(sale_ref or 0)
        return ("", str(sale_ref)) if sale is None else (sale.source, sale.order_no)

    def pieces(self, entry: Entry) -> list[tuple[str, int]]:
        """The entry's value by category, adding up to the fen."""
        weights = (
            self._return_categories(entry) if entry.return_ref else self._categories.get(entry.sale_ref or 0)
        )
        if not weights or not sum(weights.values()):
            return [("", entry.value)]
        sign = -1 if entry.value < 0 else 1
        codes = sorted(weights)
        parts = split(amount=abs(entry.value), weights=[weights[code] for code in codes])
        return [(code, sign * part) for code, part in zip(codes, parts, strict=True) if part]

    def standing(self, guide_id: int, store_id: int) -> Standing:
        """Where she sold, and as what."""
        key = (store_id, guide_id in self._managers)
        if key not in self._standings:
            label = self._labels.get(store_id)
            self._standings[key] = Standing(
                frozenset() if label is None else frozenset(self._paths.get(label.region_id, ())),
                None if label is None else label.dealer_id,
                key[1],
            )
        return self._standings[key]

    def without_seat(self, guide_ids: Collection[int]) -> set[int]:
        """Those who did not work in the month."""
        return set(guide_ids) - set(self._seats)

    def paying_store(self, guide_id: int, entries: Sequence[Entry]) -> int:
        """The store she worked in last in the month; of one who was gone before, where she sold."""
        seat = self._seats.get(guide_id)
        if seat is not None:
            return seat.store_id
        return entries[-1].store_id if entries else guide_selectors.get_guide_card(guide_id).store.id

    def sale_amount(self, sale_ref: int | None) -> int:
        sale = self.sales.get(sale_ref or 0)
        return 0 if sale is None else sale.amount_fen

    def _read_documents(self, sale_refs: set[int]) -> None:
        # A line may rest on an earlier revision of the order than the entry that takes it back.
        self.sales = {row[0]: SoldOrder(*row) for row in _rows(_ORDERS, sale_refs)}
        self._categories: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._line_category: dict[tuple[int, int], str] = {}
        for sale_id, number, code, fen in _rows(_GOODS, self.sales):
            self._categories[sale_id][code] += fen
            self._line_category[(sale_id, number)] = code

    def _read_returns(self, return_refs: set[int]) -> None:
        self.return_numbers: dict[int, str] = {}
        self._return_lines: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for return_id, return_no, number, fen in _rows(_RETURNED, return_refs):
            self.return_numbers[return_id] = return_no
            self._return_lines[return_id].append((number, fen))

    def _return_categories(self, entry: Entry) -> dict[str, int]:
        weights: dict[str, int] = defaultdict(int)
        for number, fen in self._return_lines.get(entry.return_ref or 0, ()):
            weights[self._line_category.get((entry.sale_ref or 0, number), "")] += fen
        return weights

    def _read_settled(self, guide_ids: Sequence[int]) -> None:
        self.settled: dict[int, list[SettledLine]] = defaultdict(list)
        reversed_entries = [entry.reversed_entry for entry in self.entries if entry.reversed_entry]
        asked = {"entries": reversed_entries, "sales": list(self.sales), "guides": list(guide_ids)}
        with connection.cursor() as cursor:
            cursor.execute(_SETTLED, asked)
            for row in cursor.fetchall():
                line = SettledLine(*row)
                self.settled[line.guide_id].append(line)

    def _read_places(self, guide_ids: Sequence[int]) -> None:
        self._labels = guide_selectors.list_store_labels()
        self._standings: dict[tuple[int, bool], Standing] = {}
        self._paths = guide_selectors.list_region_paths()
        seats = guide_selectors.list_roster(
            starts_on=self.reach.month_on, ends_on=self.reach.end, guide_ids=guide_ids
        )
        self._seats = {seat.guide_id: seat for seat in seats}
        self._managers = {seat.guide_id for seat in seats if seat.is_manager}
        # Sold before she was hired, or after she left: she counts as what she is now.
        for guide_id in set(guide_ids) - set(self._seats):
            if guide_selectors.get_guide_card(guide_id).role == "manager":
                self._managers.add(guide_id)


def _due_entries(reach: Reach, guide_ids: Sequence[int]) -> list[Entry]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {**reach.values(), "guides": list(guide_ids)})
        return [Entry(*row) for row in cursor.fetchall()]


def _rows(statement: str, ids: Collection[int]) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": list(ids)})
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
