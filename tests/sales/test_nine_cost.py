"""A fold costs what it folds: no list is compared with a list, a run ends, and a statement that brings nobody notes nobody."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction

from core import clock
from coupons import services as coupon_services
from sales.models import MemberDayTouch, NineFold, Sale
from sales.selectors.nine_sql import FILL, FOLD, RECOUNT
from sales.services import nine
from tests.cast import Cast
from tests.coupons.kit import claim, make_batch
from tests.coupons.kit import order as coupon_order
from tests.sales.kit import TILL, key_of, line, order, tell
from tests.sales.nine_kit import expected, fold, look, noon, scan, stored

TODAY = dt.date(2026, 11, 28)
ASKED: dict[str, Any] = {"active_days": 30, "without": [], "kept_from": noon(TODAY)}
WORKED_OUT = {"CTE Scan", "WorkTable Scan", "Function Scan"}


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(noon(TODAY), tick=False):
        yield


def sell(number: str, member: Any, fen: int = 10_000) -> None:
    tell(order(number, line("A1", fen), member=key_of(member), sold_at=clock.now(), serving_guide=""))


def below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The node and those that feed it rows; what is worked out once beforehand feeds it none."""
    yield node
    for child in node.get("Plans", ()):
        if child["Parent Relationship"] in {"Outer", "Inner", "Member", "Subquery"}:
            yield from below(child)


def every(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from every(child)


def lists_joined(statement: str, asked: dict[str, Any]) -> list[str]:
    """Joins of the plan of which both sides are lists that the statement worked out."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement, ASKED | asked)
        [told] = cursor.fetchone()
    plan = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
    return [
        node["Node Type"]
        for node in every(plan)
        if len(sides := [one for one in node.get("Plans", ()) if one["Parent Relationship"] in {"Outer", "Inner"}]) == 2
        and all(any(one["Node Type"] in WORKED_OUT for one in below(side)) for side in sides)
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        (FOLD, {"ids": list(range(1, 2_000))}),
        (FILL, {"after": 0, "upto": 2_000}),
        (RECOUNT, {"period": "day", "since": dt.date(2026, 10, 1), "until": dt.date(2027, 1, 1)}),
    ],
    ids=["fold", "fill", "recount"],
)
def test_no_list_of_unknown_length_is_joined_to_another(statement: str, asked: dict[str, Any]) -> None:
    assert lists_joined(statement, asked) == []


@pytest.mark.django_db
def test_the_look_at_a_plan_finds_such_a_join() -> None:
    assert lists_joined(
        "WITH a AS MATERIALIZED (SELECT id FROM sales_sale), b AS MATERIALIZED (SELECT id FROM sales_sale)"
        " SELECT * FROM a JOIN b USING (id)",
        {},
    )


@pytest.mark.django_db
def test_a_run_ends_and_the_next_goes_on_and_the_proof_waits_for_neither(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold()
    for number, member in enumerate((cast.xiaomei, cast.xiaoli)):
        sell(f"O{number}", member)
    monkeypatch.setattr(nine, "_RUN_S", -1.0)
    monkeypatch.setattr(nine, "FOLDED_AT_ONCE", 1)
    touches = MemberDayTouch.objects.count()
    tomorrow = noon(TODAY + dt.timedelta(days=1))
    fold(tomorrow)
    assert MemberDayTouch.objects.count() == touches - 1
    assert NineFold.objects.get().proved_on == clock.business_day(tomorrow)
    for _number in range(touches):
        fold(tomorrow)
    assert not MemberDayTouch.objects.exists()
    assert stored() == expected()


@pytest.mark.django_db
def test_while_one_run_is_at_it_another_leaves(cast: Cast) -> None:
    fold()
    sell("O1", cast.xiaomei)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 1)", [nine.RUN_SLOT])
            assert fold() == 0
            assert MemberDayTouch.objects.exists()
            # Let go by statement: a closed connection's process gives its locks back only some time after close() returned.
            cursor.execute("SELECT pg_advisory_unlock(%s, 1)", [nine.RUN_SLOT])
    finally:
        other.close()
    assert fold() == 1
    assert stored() == expected()


@pytest.mark.django_db
def test_orders_that_came_to_other_members_are_noted_and_what_changed_nothing_is_not(cast: Cast) -> None:
    sell("O1", cast.xiaomei)
    sell("O2", cast.xiaoli)
    fold()
    Sale.objects.update(points_earned=7)
    assert not MemberDayTouch.objects.exists()
    Sale.objects.filter(order_no="O1").update(returned_fen=1)
    assert noted() == {cast.xiaomei.id}
    first, second = Sale.objects.order_by("order_no")
    first.member_id, second.member_id = second.member_id, first.member_id
    Sale.objects.bulk_update([first, second], ["member_id"])
    assert noted() == {cast.xiaomei.id, cast.xiaoli.id}
    Sale.objects.filter(order_no="O1").update(member=None)
    assert noted() == {cast.xiaoli.id}


@pytest.mark.django_db
def test_whoever_redeems_scans_looks_or_changes_guides_is_noted_once_a_statement(cast: Cast) -> None:
    batch = make_batch()
    coupons = [claim(batch, cast.xiaoli.id) for _number in range(2)]
    MemberDayTouch.objects.all().delete()
    for number, coupon in enumerate(coupons):
        coupon_services.redeem_coupon(
            code=coupon.code, order=coupon_order(cast.store.id), request_id=f"r{number}", actor=TILL
        )
    assert noted() == {cast.xiaoli.id}
    apps.get_model("coupons", "Redemption").objects.update(reversed_at=None)
    assert list(MemberDayTouch.objects.values_list("member_ref", flat=True)) == [cast.xiaoli.id]
    noted()
    scan(cast.xiaomei.id, cast.store.id, clock.now(), "s1")
    assert noted() == {cast.xiaomei.id}
    look(cast.xiaoli.id, clock.now())
    assert noted() == {cast.xiaoli.id}
    apps.get_model("members", "Behaviour").objects.all().delete()
    assert noted() == {cast.xiaoli.id}
    apps.get_model("guides", "Binding").objects.filter(member=cast.xiaomei.id).update(bound_at=clock.now())
    assert noted() == {cast.xiaomei.id}


def noted() -> set[int]:
    """Whom the notes name, which are then gone."""
    with transaction.atomic():
        ids = set(MemberDayTouch.objects.values_list("member_ref", flat=True))
        MemberDayTouch.objects.all().delete()
    return ids
