"""Follow-ups: with whoever is the member's guide while they are open, done once, counted for who did them."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from guides import selectors, services
from guides.contracts import FollowUpOrder
from guides.errors import FollowUpMovedOn, FollowUpTooOld, FollowUpUnfit, NoSuchFollowUp
from guides.models import FollowUp
from guides.services.holdings_follow_ups import FollowUpHoldings
from members import services as member_services
from sales import services as sales_services
from tests.cast import DIRECTOR, Cast
from tests.sales.kit import ledger
from tests.threads import at_once

TODAY = clock.today()


def assign(cast: Cast, key: str = "k1", days: int = 0, **other: Any) -> FollowUp:
    values: dict[str, Any] = {
        "member_id": cast.xiaomei.id,
        "topic": "coupon_expiring",
        "title": "券快到期了",
        "script": "提醒她有 2 张券。",
        "due_on": clock.today() + dt.timedelta(days=days),
        "source_key": key,
    } | other
    services.assign_follow_ups(orders=[FollowUpOrder(**values)])
    return FollowUp.objects.get(source_key=key)


def done(row: FollowUp, guide_id: int, result: str = "reached", **other: Any) -> int:
    return services.complete_follow_up(
        guide_id=guide_id,
        public_id=row.public_id,
        result=result,
        actor=Actor.guide(guide_id, "李娜"),
        **other,
    )


def back(row: FollowUp, guide_id: int, **other: Any) -> int:
    return services.reopen_follow_up(
        guide_id=guide_id, public_id=row.public_id, actor=Actor.guide(guide_id, "李娜"), **other
    )


def counted() -> None:
    """As the handler and the job do."""
    refs = list(FollowUp.objects.values_list("pk", flat=True))
    sales_services.reconcile_facts(kind="task", refs=refs)


@pytest.mark.django_db
def test_a_follow_up_is_its_members_guides_once_for_its_reason(cast: Cast) -> None:
    row = assign(cast)
    assert (row.guide_id, row.state) == (cast.lina.id, "open")
    assert services.assign_follow_ups(orders=[]) == set()
    assign(cast, title="另一个")
    assert FollowUp.objects.count() == 1
    nobody = FollowUpOrder(cast.xiaoli.id, "task", "缘由", "话术", TODAY, "k9")
    assert services.assign_follow_ups(orders=[nobody]) == set()


@pytest.mark.django_db
def test_her_lists_are_by_their_days(cast: Cast) -> None:
    for key, days in (("late", -2), ("today", 0), ("soon", 3), ("later", 1)):
        assign(cast, key, days)
    done(assign(cast, "done"), cast.lina.id, note="周六来")
    titles = {
        tab: [
            FollowUp.objects.get(pk=card.id).source_key
            for card in selectors.list_follow_ups(cast.lina.id, tab=tab).follow_ups
        ]
        for tab in ("due", "later", "done")
    }
    assert titles == {"due": ["late", "today"], "later": ["later", "soon"], "done": ["done"]}
    counts = selectors.count_follow_ups(cast.lina.id)
    assert (counts.due_count, counts.overdue_count, counts.later_count, counts.done_count) == (2, 1, 2, 1)
    first = selectors.list_follow_ups(cast.lina.id, tab="due", limit=1)
    second = selectors.list_follow_ups(cast.lina.id, tab="due", limit=1, cursor=first.next_cursor)
    assert [first.follow_ups[0].title, len(second.follow_ups), second.next_cursor] == ["券快到期了", 1, None]


@pytest.mark.django_db
def test_done_twice_is_once_and_others_find_nothing(cast: Cast) -> None:
    row = assign(cast)
    assert done(row, cast.lina.id, note=" 周六来 ") == done(row, cast.lina.id, note="周六来")
    assert AuditEntry.objects.filter(action="guides.follow_up_done").count() == 1
    with pytest.raises(FollowUpMovedOn):
        done(row, cast.lina.id, result="declined")
    with pytest.raises(NoSuchFollowUp):
        done(row, cast.wangfang.id)
    with pytest.raises(NoSuchFollowUp):
        selectors.access_follow_up(cast.wangfang.id, row.public_id)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"result": ""}, {"result": "nonsense"}, {"note": "长" * 201}])
def test_a_result_is_wanted_and_a_note_is_short(cast: Cast, wrong: dict[str, str]) -> None:
    row = assign(cast)
    with pytest.raises(FollowUpUnfit):
        done(row, cast.lina.id, **wrong)
    assert FollowUp.objects.get().state == "open"


@pytest.mark.django_db
def test_what_was_done_today_is_taken_back_and_counts_no_more(cast: Cast) -> None:
    row = assign(cast)
    done(row, cast.lina.id)
    counted()
    assert ledger(guide_id=cast.lina.id) == {"task_count": 1}
    back(row, cast.lina.id)
    back(row, cast.lina.id)
    counted()
    assert ledger() == {}
    done(row, cast.lina.id, result="coming")
    counted()
    assert ledger(guide_id=cast.lina.id) == {"task_count": 1}
    yesterday = clock.now() - dt.timedelta(days=1)
    FollowUp.objects.update(done_at=yesterday)
    with pytest.raises(FollowUpTooOld):
        back(row, cast.lina.id)


@pytest.mark.django_db
def test_a_lost_event_is_caught_up_with(cast: Cast) -> None:
    row = assign(cast)
    done(row, cast.lina.id, at=clock.now() - dt.timedelta(minutes=5))
    assert sales_services.catch_up_facts(look_back=dt.timedelta(hours=1)) == 1
    assert ledger(guide_id=cast.lina.id) == {"task_count": 1}
    assert sales_services.catch_up_facts(look_back=dt.timedelta(hours=1)) == 0


@pytest.mark.django_db
def test_open_ones_follow_her_and_done_ones_stay(cast: Cast) -> None:
    kept, moved = assign(cast, "done"), assign(cast, "open")
    done(kept, cast.lina.id)
    services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="manager", reason="排班", actor=DIRECTOR
    )
    assert services.mend_follow_ups() == 1
    assert {row.source_key: row.guide_id for row in FollowUp.objects.all()} == {
        "done": cast.lina.id,
        "open": cast.wangfang.id,
    }
    services.unbind_member(member_id=cast.xiaomei.id, reason="换城市", actor=DIRECTOR)
    assert services.settle_follow_ups(member_ids=[cast.xiaomei.id]) == 1
    moved.refresh_from_db()
    assert moved.guide_id is None
    assert services.mend_follow_ups() == 0


@pytest.mark.django_db
def test_a_month_after_its_day_it_is_dropped(cast: Cast) -> None:
    assign(cast, "old", days=-31)
    assign(cast, "young", days=-30)
    assert services.mend_follow_ups() == 1
    assert dict(FollowUp.objects.values_list("source_key", "state")) == {"old": "dropped", "young": "open"}


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_are_one(cast: Cast) -> None:
    row = assign(cast)
    answers = at_once([lambda: done(row, cast.lina.id)] * 6)
    assert answers == [row.pk] * 6
    assert AuditEntry.objects.filter(action="guides.follow_up_done").count() == 1


@pytest.mark.django_db
def test_merged_parted_exported_and_erased(cast: Cast) -> None:
    row = assign(cast)
    merged = member_services.merge_members(
        first_id=cast.xiaoli.id, second_id=cast.xiaomei.id, survivor_id=cast.xiaoli.id, actor=DIRECTOR
    )
    row.refresh_from_db()
    assert row.member_id == merged.id
    part = FollowUpHoldings()
    assert part.export(merged.id)["跟进任务"][0]["缘由"] == "券快到期了"
    part.erase(member_id=merged.id, actor=DIRECTOR, at=clock.now())
    row.refresh_from_db()
    assert (row.state, row.script) == ("dropped", "")
