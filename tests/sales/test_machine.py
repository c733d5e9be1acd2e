"""Any sequence of orders, corrections, returns and decisions, in any order of arrival, ends in one state of the books."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from sales import services
from sales.contracts import OrderDocument, ReturnDocument, ReturnLine, Share
from sales.models import AttributionRule, HeldDocument, PerformanceEntry, Sale
from tests.cast import Cast
from tests.sales.kit import TILL, assert_totals_agree, by_guide, forget_books, key_of, line, order, tell

GUIDES = ("T001", "T002", "T004", "")


@dataclasses.dataclass(frozen=True)
class Story:
    """Documents of a few orders: revisions and returns that fit them."""

    documents: tuple[OrderDocument | ReturnDocument, ...]


@st.composite
def stories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Per order: who, when, lines, further revisions, returns of some units."""
    return draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "who": st.integers(0, 2),
                    "days": st.integers(0, 40),
                    "guide": st.sampled_from(GUIDES),
                    "fen": st.integers(3, 9_999),
                    "units": st.integers(1, 3),
                    "revisions": st.lists(st.sampled_from(GUIDES), max_size=2),
                    "returns": st.lists(st.integers(1, 2), max_size=2),
                }
            ),
            min_size=1,
            max_size=4,
        )
    )


def documents_of(story: list[dict[str, Any]], cast: Cast, now: dt.datetime) -> list[Any]:
    people = [key_of(cast.xiaomei), key_of(cast.xiaoli), None]
    documents: list[Any] = []
    for number, told in enumerate(story):
        sold_at = now - dt.timedelta(days=told["days"], minutes=number)
        first = order(
            f"O{number}", line("A1", told["fen"], quantity=told["units"], list_fen=told["fen"]),
            member=people[told["who"]], sold_at=sold_at, serving_guide=told["guide"],
        )  # fmt: skip
        documents.append(first)
        documents += [
            dataclasses.replace(first, revision=place, serving_guide=guide)
            for place, guide in enumerate(told["revisions"], 1)
        ]
        left, rest = told["units"], told["fen"]
        for place, units in enumerate(told["returns"]):
            if units > left:
                continue
            fen = rest if units == left else told["fen"] * units // told["units"]
            left, rest = left - units, rest - fen
            documents.append(
                ReturnDocument(
                    source="pos", return_no=f"R{number}.{place}", order_no=f"O{number}", store_code="T02",
                    returned_at=min(now, sold_at + dt.timedelta(days=place + 1)), amount_fen=fen,
                    lines=(ReturnLine(product_code="A1", quantity=units, amount_fen=fen, line_number=1),),
                )
            )  # fmt: skip
    return documents


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories(), shuffle=st.randoms(use_true_random=False), cuts=st.integers(1, 4))
def test_the_order_of_arrival_decides_nothing(
    cast: Cast, story: list[dict[str, Any]], shuffle: Any, cuts: int
) -> None:
    forget_books("members_activityentry")
    AttributionRule.objects.get_or_create(
        position=1, defaults={"name": "专属七成", "exclusive_bp": 7_000, "store_bp": 3_000}
    )
    now = clock.now()
    documents = documents_of(story, cast, now)
    tell(*documents)
    in_order = by_guide()
    assert_totals_agree()
    held = HeldDocument.objects.waiting().count()
    forget_books("members_activityentry")
    shuffle.shuffle(documents)
    for start in range(0, len(documents), cuts):
        tell(*documents[start : start + cuts])
    assert by_guide() == in_order
    assert HeldDocument.objects.waiting().count() == held == 0
    assert_totals_agree()
    # A decision by hand moves everything of one sale and nothing else; taking it back restores the books.
    sale = Sale.objects.current().first()
    assert sale is not None
    before = sum(PerformanceEntry.objects.values_list("value", flat=True))
    services.reattribute_sale(
        sale_id=sale.pk, shares=(Share("serving", cast.chenjing.id, cast.other_store.id, 10_000),),
        reason="补登接待导购", request_key="r1", actor=TILL,
    )  # fmt: skip
    assert sum(PerformanceEntry.objects.values_list("value", flat=True)) == before
    assert_totals_agree()
    tell(*documents)
    assert_totals_agree()
