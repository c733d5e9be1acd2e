"""What guides do besides selling: counted once, for whom it was, and taken back as it came."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, events
from core.errors import Refusal
from coupons import services as coupon_services
from coupons.events import CouponRedeemed, RedemptionReversed
from coupons.models import Redemption
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.models import Binding
from members import services as member_services
from members.models import Member
from sales import selectors, services, tasks
from sales.models import PerformanceEntry
from sales.selectors import offered
from tests.cast import Cast
from tests.coupons.kit import claim, make_batch
from tests.coupons.kit import order as purchase
from tests.members.merge_kit import DESK, customer, follower, merge, undo
from tests.sales.kit import TILL, assert_totals_agree, ledger, order, tell
from tests.threads import at_once

DAY = dt.timedelta(days=1)


@pytest.fixture
def shares() -> Iterator[None]:
    """Somebody counts shared materials."""
    before = set(offered._counted)
    selectors.count_kind("share")
    yield
    offered._counted.clear()
    offered._counted.update(before)


def catch_up(at: dt.datetime | None = None) -> int:
    """What a worker does that heard no event at all."""
    return services.catch_up_facts(look_back=7 * DAY, at=at or clock.now() + dt.timedelta(minutes=1))


def came_by_code_of(guide_id: int, key: str, at: dt.datetime | None = None) -> Any:
    """A follower who scanned the guide's code."""
    code = guide_selectors.get_guide_code(guide_id).code
    member = follower(key, scene=code, at=at)
    guide_services.resolve_scan(
        member_id=member.id, scene=code, is_new_follower=True, request_key=uuid.uuid4().hex, actor=DESK, at=at
    )
    return member


def join(member_id: int, phone: str, at: dt.datetime | None = None) -> int:
    return member_services.verify_phone(member_id=member_id, phone=phone, how="sms", actor=DESK, at=at).id


def redeem(cast: Cast, *, guide_id: int | None = None, member_id: int = 0) -> str:
    """A coupon of hers is used in the cast's store; the request's id."""
    batch = make_batch()
    coupon = claim(batch, member_id or cast.xiaomei.id)
    request_id = uuid.uuid4().hex
    coupon_services.redeem_coupon(
        code=coupon.code, order=purchase(cast.store.id, order_no=request_id[:20], guide_id=guide_id),
        request_id=request_id, actor=TILL,
    )  # fmt: skip
    return request_id


def take_back(request_id: str) -> None:
    coupon_services.reverse_redemption(
        request_id=request_id, reversal_key=uuid.uuid4().hex, reason="顾客退货", actor=TILL
    )


def test_a_follower_is_no_new_member_until_she_proves_a_phone(cast: Cast) -> None:
    member = came_by_code_of(cast.lina.id, "new")
    assert catch_up() == 2  # 小美's binding and this one
    assert ledger(metric="new_member_count") == {}
    join(member.id, "13800000001")
    assert catch_up() == 1
    assert ledger(guide_id=cast.lina.id, store_id=cast.store.id, metric="new_member_count") == {
        "new_member_count": 1
    }
    assert catch_up() == 0
    assert_totals_agree()


def test_she_counts_for_whose_code_brought_her_also_when_another_has_her_by_then(cast: Cast) -> None:
    member = came_by_code_of(cast.lina.id, "moved")
    guide_services.rebind_member(
        member_id=member.id, guide_id=cast.chenjing.id, source="member", reason="换导购", actor=DESK
    )
    join(member.id, "13800000002")
    catch_up()
    entry = PerformanceEntry.objects.get(metric="new_member_count")
    assert (entry.guide_id, entry.store_id, entry.value) == (cast.lina.id, cast.store.id, 1)


def test_a_tills_customer_counts_for_the_guide_she_takes_that_day_and_a_stranger_for_nobody(
    cast: Cast,
) -> None:
    walk_in = customer("13800000003")
    assert services.reconcile_facts(kind="member", refs=[walk_in.id]) == 0
    guide_services.bind_member(member_id=walk_in.id, guide_id=cast.wangfang.id, source="pos", actor=DESK)
    catch_up()
    assert ledger(guide_id=cast.wangfang.id) == {"new_member_count": 1, "new_binding_count": 1}
    late = customer("13800000004", at=clock.now() - 2 * DAY)
    guide_services.bind_member(member_id=late.id, guide_id=cast.wangfang.id, source="scan", actor=DESK)
    catch_up()
    assert ledger(guide_id=cast.wangfang.id) == {"new_member_count": 1, "new_binding_count": 2}


def test_a_guide_who_left_earns_nothing_and_her_store_does_also_when_it_is_closed(cast: Cast) -> None:
    member = came_by_code_of(cast.chenjing.id, "left", at=clock.now() - 3 * DAY)
    guide_services.leave_guide(guide_id=cast.chenjing.id, actor=DESK, at=clock.now() - 2 * DAY)
    guide_services.close_store(store_id=cast.other_store.id, actor=DESK)
    join(member.id, "13800000005")
    catch_up()
    entry = PerformanceEntry.objects.get(metric="new_member_count")
    assert (entry.guide_id, entry.store_id) == (None, cast.other_store.id)


def test_the_store_is_the_one_she_worked_in_then(cast: Cast) -> None:
    joined_at = clock.now() - dt.timedelta(minutes=30)
    member = came_by_code_of(cast.lina.id, "early", at=joined_at - dt.timedelta(minutes=5))
    join(member.id, "13800000006", at=joined_at)
    guide_services.move_guide(guide_id=cast.lina.id, store_id=cast.other_store.id, role="guide", actor=DESK)
    catch_up()
    entry = PerformanceEntry.objects.get(metric="new_member_count")
    assert (entry.guide_id, entry.store_id) == (cast.lina.id, cast.store.id)
    assert entry.due_on == entry.booked_on == clock.business_day(joined_at)


def test_a_binding_over_within_a_week_was_none_and_two_who_take_turns_win_nothing(cast: Cast) -> None:
    bindings = [Binding.objects.get(member_id=cast.xiaomei.id).pk]
    services.reconcile_facts(kind="binding", refs=bindings)
    for guide in (cast.wangfang, cast.lina):
        card = guide_services.rebind_member(
            member_id=cast.xiaomei.id, guide_id=guide.id, source="scan", reason="扫码", actor=DESK
        )
        bindings.append(card.id)
        services.reconcile_facts(kind="binding", refs=bindings)
    assert ledger(guide_id=cast.wangfang.id) == {}
    assert ledger(guide_id=cast.lina.id) == {"new_binding_count": 1}
    assert PerformanceEntry.objects.filter(guide_id=cast.lina.id).count() == 3
    assert_totals_agree()


def test_whom_the_chain_moves_nobody_won_and_who_had_her_keeps_what_she_won(cast: Cast) -> None:
    catch_up()
    card = guide_services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="manager", reason="排班", actor=DESK
    )
    guide_services.unbind_member(member_id=cast.xiaomei.id, reason="不再跟进", actor=DESK)
    catch_up()
    assert card.guide_id == cast.wangfang.id
    assert ledger(metric="new_binding_count", guide_id=cast.lina.id) == {"new_binding_count": 1}
    assert ledger(metric="new_binding_count", guide_id=cast.wangfang.id) == {}


def test_a_till_redeems_for_the_store_and_a_guide_for_both(cast: Cast) -> None:
    first = redeem(cast)
    redeem(cast, guide_id=cast.wangfang.id, member_id=cast.xiaoli.id)
    catch_up()
    rows = PerformanceEntry.objects.filter(metric="redemption_count").order_by("pk")
    assert [(row.guide_id, row.store_id) for row in rows] == [
        (None, cast.store.id), (cast.wangfang.id, cast.store.id),
    ]  # fmt: skip
    take_back(first)
    assert catch_up() == 1
    assert ledger(metric="redemption_count") == {"redemption_count": 1}
    assert PerformanceEntry.objects.get(reversed_entry__isnull=False).reason == "taken_back"
    assert_totals_agree()


def test_two_rows_of_one_person_are_new_once_and_twice_again_when_they_are_two(cast: Cast) -> None:
    first = came_by_code_of(cast.lina.id, "one")
    join(first.id, "13800000011")
    second = came_by_code_of(cast.lina.id, "two")
    join(second.id, "13800000012")
    catch_up()
    assert ledger(guide_id=cast.lina.id) == {"new_member_count": 2, "new_binding_count": 3}
    record = merge(first.id, second.id)
    catch_up()
    assert ledger(guide_id=cast.lina.id) == {"new_member_count": 1, "new_binding_count": 2}
    assert_totals_agree()
    undo(record)
    catch_up()
    assert ledger(guide_id=cast.lina.id) == {"new_member_count": 2, "new_binding_count": 3}
    assert PerformanceEntry.objects.filter(reason="restored").count() == 2
    assert_totals_agree()


def test_who_was_imported_before_was_no_new_member(cast: Cast) -> None:
    member = came_by_code_of(cast.lina.id, "known")
    join(member.id, "13800000013")
    catch_up()
    known = Member.objects.create(source="import", stage="member", registered_at=clock.now() - 90 * DAY)
    merge(member.id, known.pk)
    catch_up()
    assert ledger(metric="new_member_count") == {}


def test_events_in_any_order_and_twice_leave_what_the_rows_say(cast: Cast) -> None:
    request_id = redeem(cast, guide_id=cast.lina.id)
    take_back(request_id)
    row = Redemption.objects.get(request_id=request_id)
    for event in (
        RedemptionReversed(row.coupon_id, row.pk), CouponRedeemed(row.coupon_id, row.pk),
        RedemptionReversed(row.coupon_id, row.pk),
    ):  # fmt: skip
        events.deliver(event)
    assert ledger(metric="redemption_count") == {}
    assert not PerformanceEntry.objects.filter(metric="redemption_count").exists()


def test_a_lost_message_is_made_up_for_once(cast: Cast) -> None:
    Binding.objects.update(bound_at=clock.now() - dt.timedelta(minutes=30))
    assert not PerformanceEntry.objects.exists()
    assert tasks.catch_up_facts() == 1
    assert tasks.catch_up_facts() == tasks.catch_up_older_facts() == 0
    assert ledger() == {"new_binding_count": 1}
    Binding.objects.update(bound_at=clock.now() - 30 * DAY)
    PerformanceEntry.objects.all().delete()
    assert tasks.catch_up_older_facts() == 0  # its window is bounded


def test_a_fact_of_a_closed_month_counts_on_the_first_open_day(cast: Cast, shares: None) -> None:
    now = dt.datetime(2026, 11, 28, 4, tzinfo=dt.UTC)
    happened_at = dt.datetime(2026, 10, 31, 15, 59, tzinfo=dt.UTC)  # the last minute of October in Shanghai
    services.record_fact(kind="share", ref=1, happened_at=happened_at, guide_id=cast.lina.id, at=now)
    services.close_month(month_on=dt.date(2026, 10, 1), actor=TILL, at=now)
    services.record_fact(kind="share", ref=2, happened_at=happened_at, guide_id=cast.lina.id, at=now)
    services.reverse_fact(kind="share", ref=1, at=now)
    days = PerformanceEntry.objects.order_by("pk").values_list("due_on", "booked_on", "value")
    october, november = dt.date(2026, 10, 31), dt.date(2026, 11, 1)
    assert list(days) == [(october, october, 1), (october, november, 1), (october, november, -1)]
    assert_totals_agree()


def test_a_fact_counts_once_is_not_revived_by_a_repeat_and_the_past_stays_readable(
    cast: Cast, shares: None
) -> None:
    now = clock.now()
    fact: dict[str, Any] = {"kind": "share", "ref": 7, "happened_at": now, "guide_id": cast.lina.id}
    assert services.record_fact(**fact, at=now)
    assert not services.record_fact(**fact)
    later = now + dt.timedelta(minutes=1)
    assert services.reverse_fact(kind="share", ref=7, at=later)
    assert not services.reverse_fact(kind="share", ref=7)
    assert not services.record_fact(**fact)
    from sales.selectors.ledger import numbers_then

    today = clock.business_day(now)
    [line] = numbers_then(
        entries=PerformanceEntry.objects.all(), since=today, until=today + DAY, at=now, guide_id=cast.lina.id
    )
    assert (line.metric, line.then, line.now) == ("share_count", 1, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "task"}, "sales.fact_unusable"),  # nobody counts tasks
        ({"kind": "binding"}, "sales.fact_unusable"),
        ({"kind": "nonsense"}, "sales.fact_unusable"),
        ({"ref": 0}, "sales.fact_unusable"),
        ({"ref": 2**63}, "sales.fact_unusable"),
        ({"guide_id": None}, "sales.fact_unusable"),
        ({"guide_id": 999_999_999}, "sales.unknown_guide"),
        ({"store_id": 999_999_999}, "sales.unknown_store"),
        ({"happened_at": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)}, "sales.from_the_future"),
    ],
)
def test_bad_facts_are_refused(cast: Cast, shares: None, changes: dict[str, Any], code: str) -> None:
    fact: dict[str, Any] = {"kind": "share", "ref": 1, "happened_at": clock.now(), "guide_id": cast.lina.id}
    fact |= changes
    with pytest.raises(Refusal) as caught:
        services.record_fact(**fact)
    assert caught.value.code == code
    assert not PerformanceEntry.objects.exists()


def test_a_metric_is_offered_once_somebody_counts_it(cast: Cast) -> None:
    before = set(offered._counted)
    assert "share_count" in selectors.list_offered_metrics()  # campaigns says so
    offered._counted.discard("share")
    assert "share_count" not in selectors.list_offered_metrics()
    assert {"new_member_count", "new_binding_count", "redemption_count", "task_count"} <= set(
        selectors.list_offered_metrics()
    )
    try:
        selectors.count_kind("share")
        assert "share_count" in selectors.list_offered_metrics()
    finally:
        offered._counted.clear()
        offered._counted.update(before)


@pytest.mark.django_db(transaction=True)
def test_the_same_fact_fifty_times_at_once_is_one_entry(cast: Cast, shares: None) -> None:
    fact: dict[str, Any] = {
        "kind": "share", "ref": 5, "happened_at": clock.now(), "guide_id": cast.lina.id,
    }  # fmt: skip
    answers = at_once([lambda: services.record_fact(**fact)] * 50)
    assert sorted(answers) == [False] * 49 + [True]
    binding = Binding.objects.get()
    at_once([lambda: services.reconcile_facts(kind="binding", refs=[binding.pk])] * 10)
    guide_services.unbind_member(member_id=cast.xiaomei.id, reason="误绑", actor=DESK)
    at_once([lambda: services.reconcile_facts(kind="binding", refs=[binding.pk])] * 10)
    assert list(PerformanceEntry.objects.order_by("pk").values_list("fact_kind", "value")) == [
        ("share", 1), ("binding", 1), ("binding", -1),
    ]  # fmt: skip
    assert_totals_agree()


def test_the_database_refuses_a_fact_twice_whatever_code_runs(cast: Cast) -> None:
    catch_up()
    [entry] = PerformanceEntry.objects.all()
    entry.pk = None
    with pytest.raises(IntegrityError, match="performanceentry_fact_once"), transaction.atomic():
        entry.save(force_insert=True)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "bind", "unbind", "merge", "undo", "redeem", "reverse", "sell", "hear"]),
        st.integers(0, 3),
        st.sampled_from([0, 1, 2]),
    ),
    min_size=4,
    max_size=16,
)


class _Lives:
    """A few people and what happens to them; refused steps are part of life."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.guides = [cast.lina, cast.wangfang, cast.chenjing]
        self.people = [came_by_code_of(cast.lina.id, f"life{number}").id for number in range(4)]
        self.merges: list[Any] = []
        self.used: list[str] = []

    def step(self, what: str, who: int, which: int) -> None:
        member, guide = self.people[who], self.guides[which]
        try:
            if what == "join":
                join(member, f"1390000000{who}")
            elif what == "bind":
                guide_services.rebind_member(
                    member_id=member, guide_id=guide.id, source="scan", reason="扫码", actor=DESK
                )
            elif what == "unbind":
                guide_services.unbind_member(member_id=member, reason="误绑", actor=DESK)
            elif what == "merge":
                self.merges.append(merge(member, self.people[(who + 1) % 4]))
            elif what == "undo" and self.merges:
                undo(self.merges.pop())
            elif what == "redeem":
                self.used.append(redeem(self.cast, guide_id=guide.id, member_id=member))
            elif what == "reverse" and self.used:
                take_back(self.used.pop(which % len(self.used)))
            elif what == "sell":
                tell(order(uuid.uuid4().hex[:12], serving_guide=guide.number))
            elif what == "hear":
                catch_up()
        except Refusal:
            pass


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_whatever_happens_and_whenever_it_is_heard_the_books_say_what_the_rows_say(
    cast: Cast, steps: list[tuple[str, int, int]]
) -> None:
    from django.db import transaction

    with transaction.atomic():
        lives = _Lives(cast)
        for step in steps:
            lives.step(*step)
        catch_up()
        assert_totals_agree()
        heard = _sums()
        # As a chain that heard nothing until now would write it.
        PerformanceEntry.objects.filter(reversed_entry__isnull=False).exclude(fact_kind="").delete()
        PerformanceEntry.objects.exclude(fact_kind="").delete()
        catch_up()
        assert _sums() == heard
        transaction.set_rollback(True)


def _sums() -> dict[tuple[Any, ...], int]:
    rows = PerformanceEntry.objects.exclude(fact_kind="").values_list(
        "guide_id", "store_id", "metric", "value"
    )
    sums: dict[tuple[Any, ...], int] = {}
    for *key, value in rows:
        sums[tuple(key)] = sums.get(tuple(key), 0) + value
    return {key: value for key, value in sums.items() if value}
