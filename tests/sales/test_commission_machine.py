"""Whatever happens, in whatever order, between closes: commission follows the ledger."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sales import services
from sales.contracts import OrderDocument, ReturnDocument, ReturnLine, Share
from sales.models import (
    CommissionLine,
    CommissionMonth,
    CommissionRule,
    CommissionStatement,
    PerformanceEntry,
    Sale,
)
from sales.selectors.commission_drafts import draft_statements
from sales.selectors.commission_terms import CommissionTerms, Step, owed_fen, price_bases
from sales.selectors.spans import add_months
from tests.cast import Cast
from tests.sales.commission_kit import assert_sums_are_the_lines, close, rule
from tests.sales.kit import TILL, forget_books, line, order, tell

FIRST = dt.date(2026, 7, 1)
RATE_BP = 333

ORDERS = st.tuples(
    st.just("order"), st.integers(3, 99_999), st.sampled_from(["T001", "T002", "T004"]), st.booleans()
)
AFTER = st.one_of(
    ORDERS,
    st.tuples(st.just("return"), st.integers(0, 3), st.integers(1, 3)),
    st.tuples(st.just("correct"), st.integers(0, 3), st.sampled_from(["T001", "T002"]), st.integers(0, 500)),
    st.tuples(st.just("move"), st.integers(0, 3), st.integers(1, 9_999)),
)
# Orders, then months in which things happen to them; some are opened again and closed a second time.
MONTHS = st.tuples(
    st.lists(ORDERS, min_size=1, max_size=3),
    st.lists(st.tuples(st.lists(AFTER, min_size=1, max_size=4), st.booleans()), min_size=2, max_size=4),
)


@dataclasses.dataclass
class Story:
    """A chain in which things happen; the month goes on when one is closed."""

    cast: Cast
    month: dt.date = FIRST
    orders: list[OrderDocument] = dataclasses.field(default_factory=list)
    number: int = 0

    def act(self, what: tuple[Any, ...]) -> None:
        self.number += 1
        getattr(self, f"do_{what[0]}")(*what[1:])

    def at(self) -> dt.datetime:
        return dt.datetime.combine(self.month.replace(day=1 + self.number % 27), dt.time(4), dt.UTC)

    def do_order(self, fen: int, guide: str, is_mixed: bool) -> None:
        parts = [line("A1", fen, quantity=3, list_fen=fen)]
        if is_mixed:
            parts.append(line("B1", fen // 2, list_fen=fen // 2, category_code="pants", product_name="长裤"))
        document = order(f"O{self.number}", *parts, sold_at=self.at(), serving_guide=guide)
        self.orders.append(document)
        tell(document)

    def do_return(self, which: int, units: int) -> None:
        if not self.orders:
            return
        sale = self._sale(which)
        first = sale.lines.get(number=1)
        left = first.quantity - first.returned_quantity
        if not left:
            return
        units = min(units, left)
        rest = first.amount_fen - first.returned_fen
        fen = rest if units == left else rest * units // left
        back = ReturnLine(product_code="A1", quantity=units, amount_fen=fen, line_number=1)
        tell(
            ReturnDocument(
                source="pos", return_no=f"R{self.number}", order_no=sale.order_no, store_code="T01", amount_fen=fen,
                returned_at=max(self.at(), sale.sold_at), lines=(back,),
            )
        )  # fmt: skip

    def do_correct(self, which: int, guide: str, more: int) -> None:
        if not self.orders:
            return
        place = which % len(self.orders)
        old = self.orders[place]
        first = dataclasses.replace(
            old.lines[0], amount_fen=old.lines[0].amount_fen + more, list_fen=old.lines[0].list_fen + more
        )
        lines = (first, *old.lines[1:])
        self.orders[place] = dataclasses.replace(
            old, revision=old.revision + 1, serving_guide=guide, lines=lines, amount_fen=old.amount_fen + more
        )
        tell(self.orders[place])

    def do_move(self, which: int, share_bp: int) -> None:
        if not self.orders:
            return
        store = self.cast.store.id
        services.reattribute_sale(
            sale_id=self._sale(which).pk,
            shares=(
                Share("serving", self.cast.wangfang.id, store, share_bp),
                Share("exclusive", self.cast.lina.id, store, 10_000 - share_bp),
            ),
            reason="补登", request_key=f"m{self.number}", actor=TILL,
        )  # fmt: skip

    def do_close(self) -> None:
        close(self.month)
        assert services.prove_commission(month_on=self.month) == ()
        self.month = add_months(self.month, 1)

    def do_reopen(self) -> None:
        if self.month > FIRST and CommissionMonth.objects.filter(state="closed").exists():
            self.month = add_months(self.month, -1)
            services.reopen_commission(month_on=self.month, reason="重算", actor=TILL)

    def _sale(self, which: int) -> Sale:
        return Sale.objects.current().get(order_no=self.orders[which % len(self.orders)].order_no)


def forget() -> None:
    forget_books("sales_commissionline", "sales_commissionstatement", "sales_commissionmonth")
    CommissionRule.objects.all().delete()


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(months=MONTHS)
def test_commission_is_what_the_ledger_says_whatever_happened(
    cast: Cast, months: tuple[list[tuple[Any, ...]], list[tuple[list[tuple[Any, ...]], bool]]]
) -> None:
    forget()
    rule(steps=[[0, RATE_BP, 0]])
    story = Story(cast)
    for what in months[0]:
        story.act(what)
    for acts, is_opened_again in months[1]:
        story.do_close()
        if is_opened_again:
            story.do_reopen()
        for what in acts:
            story.act(what)
        assert_sums_are_the_lines(story.month)
    story.do_close()
    assert_sums_are_the_lines(story.month)
    # One month more, and every entry there is has come to its turn.
    story.do_close()
    assert list(draft_statements(story.month)) == [] or all(
        not draft.lines for draft in draft_statements(story.month)
    )
    for guide in (cast.lina, cast.wangfang, cast.chenjing):
        _check_guide(guide.id)
    _check_orders()


# Categories, days, roles, places, bounties and steps, alone or together; a rule that fits first takes the base away.
RULES = st.lists(
    st.sampled_from(
        [
            {"category_codes": ["pants"], "steps": [[0, 777, 0]]},
            {"category_codes": ["tops", "none"], "steps": [[0, 410, 0], [30_000, 905, 0]], "mode": "whole"},
            {"starts_on": FIRST.replace(day=9), "ends_on": FIRST.replace(day=20), "steps": [[0, 650, 0]]},
            {
                "ends_on": add_months(FIRST, 1).replace(day=12),
                "category_codes": ["pants"],
                "steps": [[0, 99, 0]],
            },
            {"role": "manager", "steps": [[0, 850, 0]]},
            {"kind": "bounty", "steps": [], "bounty_metric": "first_purchase_count", "bounty_fen": 500},
            {"steps": [[0, RATE_BP, 0], [20_000, 500, 0], [70_000, 801, 0]]},
        ]
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=RULES, months=MONTHS)
def test_the_list_of_a_month_says_what_the_lines_add_up_to(
    cast: Cast,
    rules: list[dict[str, Any]],
    months: tuple[list[tuple[Any, ...]], list[tuple[list[tuple[Any, ...]], bool]]],
) -> None:
    forget()
    for position, terms in enumerate(rules, 1):
        rule(position, **terms)
    story = Story(cast)
    for what in months[0]:
        story.act(what)
    assert_sums_are_the_lines(story.month)
    for acts, is_opened_again in months[1]:
        story.do_close()
        if is_opened_again:
            story.do_reopen()
            assert_sums_are_the_lines(story.month)
        for what in acts:
            story.act(what)
            assert_sums_are_the_lines(story.month)


def _check_guide(guide_id: int) -> None:
    said = PerformanceEntry.objects.filter(guide_id=guide_id, metric="sales_fen")
    ledger = said.aggregate(total=Sum("value"))["total"] or 0
    lines = CommissionLine.objects.filter(statement__guide_id=guide_id, is_live=True)
    sums = lines.aggregate(base=Sum("base_fen"), fen=Sum("fen"))
    base, fen = sums["base"] or 0, sums["fen"] or 0
    assert base == ledger
    statements = CommissionStatement.objects.filter(guide_id=guide_id, is_live=True).order_by(
        "month__month_on"
    )
    paid = sum(statement.payable_fen for statement in statements)
    carried = statements.last().carried_out_fen if statements else 0  # type: ignore[union-attr]
    assert paid + carried == fen
    # One rate for all: what she has is that rate of what stands, but for less than a fen a line.
    assert abs(fen * 10_000 - base * RATE_BP) <= 10_000 * max(1, lines.count())


def _check_orders() -> None:
    """An order of which nothing stands for a guide has cost nothing."""
    stands: dict[tuple[str, int, int], int] = {}
    cost: dict[tuple[str, int, int], int] = {}
    numbers = dict(Sale.objects.values_list("pk", "order_no"))
    for one in PerformanceEntry.objects.filter(metric="sales_fen", guide__isnull=False):
        key = (numbers[one.sale_ref or 0], one.guide_id or 0, one.store_id)
        stands[key] = stands.get(key, 0) + one.value
    for line_row in CommissionLine.objects.filter(is_live=True).select_related("statement"):
        key = (numbers[line_row.sale_ref or 0], line_row.statement.guide_id, line_row.store_id)
        cost[key] = cost.get(key, 0) + line_row.fen
        stands.setdefault(key, 0)
    # In one month's sum a fen may stand at another line; across months nothing is lost.
    assert all(abs(cost.get(key, 0)) <= 1 for key, left in stands.items() if not left)


@given(
    bases=st.lists(st.integers(-(10**7), 10**7), max_size=12),
    starts=st.lists(st.integers(1, 10**7), max_size=3, unique=True),
    rates=st.lists(st.integers(0, 3_000), min_size=4, max_size=4),
    mode=st.sampled_from(["progressive", "whole"]),
)
def test_lines_add_up_to_what_the_month_owes(
    bases: list[int], starts: list[int], rates: list[int], mode: Any
) -> None:
    steps = tuple(Step(start, rate) for start, rate in zip([0, *sorted(starts)], rates, strict=False))
    terms = CommissionTerms(id=1, position=1, name="x", kind="sales", mode=mode, steps=steps)
    priced = price_bases(terms, bases)
    total = sum(bases)
    assert sum(one.fen for one in priced) == owed_fen(terms, total, month_fen=total)
    assert all(one.rate_bp >= 0 for one in priced)
    if total >= 0:
        assert 0 <= owed_fen(terms, total, month_fen=total) * 10_000 <= total * max(rates) + 10_000
