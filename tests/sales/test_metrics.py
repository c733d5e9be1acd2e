"""A member's numbers follow her documents, whatever comes in whatever order; and the night finds nothing to mend."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.clock import SHANGHAI
from members import services as member_services
from members.models import MemberMerge
from sales import services
from sales.contracts import OrderDocument, ReturnDocument, ReturnLine
from sales.models import MemberMetrics
from tests.cast import Cast
from tests.sales.kit import TILL, key_of, line, order, tell
from tests.sales.metrics_kit import expected, forget_numbers, stored

CATEGORIES = ("tops", "shoes", "bags", "")


def at_noon(day: dt.date) -> dt.datetime:
    """Noon in Shanghai."""
    return dt.datetime.combine(day, dt.time(12), SHANGHAI)


@st.composite
def stories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Per order: who, how long ago and when, lines, whether it is corrected to another member, returns of units."""
    return draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "who": st.integers(0, 2),
                    "days": st.sampled_from(
                        (0, 1, 27, 28, 30, 31, 89, 91, 180, 335, 337, 364, 365, 366, 500)
                    ),
                    "hours": st.integers(0, 23),
                    "store": st.sampled_from(("T01", "T02")),
                    "lines": st.lists(
                        st.tuples(st.sampled_from(CATEGORIES), st.integers(0, 400_000), st.integers(1, 2)),
                        min_size=1,
                        max_size=3,
                    ),
                    "corrected": st.sampled_from((None, None, 0, 1)),
                    "returns": st.lists(st.integers(0, 2), max_size=2),
                }
            ),
            min_size=1,
            max_size=5,
        )
    )


def documents_of(story: list[dict[str, Any]], people: list[Any], now: dt.datetime) -> list[Any]:
    documents: list[OrderDocument | ReturnDocument] = []
    for number, told in enumerate(story):
        sold_at = now - dt.timedelta(days=told["days"], hours=told["hours"], minutes=number)
        lines = [
            line(f"P{code}", fen, quantity=units, list_fen=fen, category_code=code)
            for code, fen, units in told["lines"]
        ]
        first = order(
            f"O{number}", *lines, member=people[told["who"]], sold_at=sold_at, store_code=told["store"], serving_guide=""
        )  # fmt: skip
        documents.append(first)
        if told["corrected"] is not None:
            documents.append(dataclasses.replace(first, revision=1, member=people[told["corrected"]]))
        gone: set[int] = set()
        for place, which in enumerate(told["returns"]):
            if which >= len(lines) or which in gone:
                continue
            gone.add(which)
            documents.append(
                ReturnDocument(
                    source="pos", return_no=f"R{number}.{place}", order_no=f"O{number}", store_code="T02",
                    returned_at=min(now, sold_at + dt.timedelta(days=1)), amount_fen=lines[which].amount_fen,
                    lines=(
                        ReturnLine(
                            product_code=lines[which].product_code, quantity=lines[which].quantity,
                            amount_fen=lines[which].amount_fen, line_number=which + 1,
                        ),
                    ),
                )
            )  # fmt: skip
    return documents


def assert_all_agree(cast: Cast, at: dt.datetime) -> None:
    """What stands is what Python finds in the documents; a run from the documents mends nothing, in rows or in
    the absence of rows."""
    ids = (cast.xiaomei.id, cast.xiaoli.id)
    day = clock.business_day(at)
    for member_id in ids:
        assert stored(member_id) == expected(member_id, day)
    report = services.rebuild_member_metrics(actor=TILL, at=at)
    assert (report.wrong_count, report.slid_count) == (0, 0)
    for member_id in ids:
        assert stored(member_id) == expected(member_id, day)


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    story=stories(),
    shuffle=st.randoms(use_true_random=False),
    cuts=st.integers(1, 4),
    merges=st.booleans(),
    today=st.sampled_from(
        (dt.date(2026, 11, 28), dt.date(2028, 2, 29), dt.date(2027, 2, 28), dt.date(2027, 1, 1), dt.date(2027, 3, 31))
    ),
)  # fmt: skip
def test_incremental_numbers_are_those_of_a_rebuild_and_of_plain_python(
    cast: Cast, story: list[dict[str, Any]], shuffle: Any, cuts: int, merges: bool, today: dt.date
) -> None:
    forget_numbers()
    now = at_noon(today)
    with time_machine.travel(now, tick=False):
        documents = documents_of(story, [key_of(cast.xiaomei), key_of(cast.xiaoli), None], now)
        shuffle.shuffle(documents)
        has_merged = False
        try:
            for start in range(0, len(documents), cuts):
                if merges and not has_merged and start >= len(documents) // 2:
                    member_services.merge_members(
                        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, reason="同一个人", actor=TILL
                    )
                    has_merged = True
                tell(*documents[start : start + cuts])
            assert_all_agree(cast, now)
        finally:
            if has_merged:
                merge = MemberMerge.objects.live().get()
                member_services.undo_merge(merge_id=merge.pk, reason="不是同一个人", actor=TILL)
        assert_all_agree(cast, now)
        # From nothing, the documents say the same.
        MemberMetrics.objects.all().delete()
        services.rebuild_member_metrics(actor=TILL, at=now)
        assert_all_agree(cast, now)
