"""Where unfinished requests go when guides leave or move and members change them; who is told, how often."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from guides import handlers, selectors, services, tasks
from guides.events import GuideLeft, GuideMoved, MemberBound, MemberUnbound, RequestStepped
from guides.models import Binding, GuideNotice, RequestKind, ServiceRequest, ServiceRequestStep
from guides.services.holdings_requests import RequestHoldings
from guides.services.request_deadlines import add_open_hours
from members import services as member_services
from tests.cast import DIRECTOR, Cast, make_follower, openid_of
from tests.guides.requests_kit import ask, brought_to, make_kinds, row
from tests.threads import at_once
from tests.told import told_texts

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 11, 12, tzinfo=clock.SHANGHAI)  # a Wednesday; the cast's stores are open 10 to 22


@pytest.fixture(autouse=True)
def _kinds(db: None) -> None:
    make_kinds()


def rebind(member: Any, guide: Any) -> None:
    """She chooses another guide, and everybody hears of it."""
    old = Binding.objects.live().get(member_id=member.id)
    card = services.rebind_member(
        member_id=member.id, guide_id=guide.id, source="member", reason="", actor=DIRECTOR
    )
    for _delivery in range(2):
        handlers.move_requests_of_unbound(MemberUnbound(old.pk, member.id, old.guide_id))
        handlers.move_requests_of_bound(MemberBound(card.id, member.id, guide.id))


def stand(request: Any) -> tuple[Any, int, str]:
    now = row(request)
    return now.guide_id, now.store_id, now.state


def messages(cast: Cast) -> list[str]:
    """What 小美 is told of her requests."""
    return told_texts("request-step:", member_id=cast.xiaomei.id)


def tell_all() -> None:
    for step in ServiceRequestStep.objects.order_by("pk"):
        handlers.on_request_stepped(RequestStepped(step.request_id, step.pk, step.request.member_id))


@pytest.mark.parametrize("state", ["open", "accepted", "in_progress"])
def test_an_unfinished_request_follows_the_member_to_her_new_guide(cast: Cast, state: str) -> None:
    request = brought_to(cast, state)
    rebind(cast.xiaomei, cast.chenjing)
    assert stand(request) == (cast.chenjing.id, cast.other_store.id, "open")
    assert row(request).steps.filter(act="followed").count() == 1


@pytest.mark.parametrize("state", ["done", "closed", "cancelled", "refused"])
def test_what_is_done_or_over_stays(cast: Cast, state: str) -> None:
    request = brought_to(cast, state)
    rebind(cast.xiaomei, cast.chenjing)
    assert stand(request) == (cast.lina.id, cast.store.id, state)


def test_what_people_gave_to_a_colleague_stays_with_her(cast: Cast) -> None:
    request = ask(cast.xiaomei)
    services.hand_over_request(
        guide_id=cast.lina.id, public_id=request.public_id, to_guide_id=cast.wangfang.id, actor=DIRECTOR
    )
    services.accept_request(guide_id=cast.wangfang.id, public_id=request.public_id, actor=DIRECTOR)
    rebind(cast.xiaomei, cast.chenjing)
    assert stand(request) == (cast.wangfang.id, cast.store.id, "accepted")


def test_a_guide_who_leaves_gives_her_requests_back_to_the_store(cast: Cast) -> None:
    hers, done = brought_to(cast, "accepted"), brought_to(cast, "done")
    services.leave_guide(guide_id=cast.lina.id, actor=DIRECTOR)
    for _delivery in range(2):
        handlers.on_guide_left(GuideLeft(cast.lina.id))
    assert stand(hers) == (None, cast.store.id, "open")
    assert stand(done) == (cast.lina.id, cast.store.id, "done")
    tell_all()
    came = GuideNotice.objects.filter(kind="request_came", step__act="followed")
    assert set(came.values_list("guide__name", flat=True)) == {"王芳", "赵强"}
    services.accept_request(guide_id=cast.wangfang.id, public_id=hers.public_id, actor=DIRECTOR)


def test_without_any_guide_an_unbound_members_request_waits_and_then_follows(cast: Cast) -> None:
    request = ask(cast.xiaomei)
    ended = services.unbind_member(member_id=cast.xiaomei.id, reason="", actor=DIRECTOR)
    handlers.move_requests_of_unbound(MemberUnbound(ended.id, cast.xiaomei.id, cast.lina.id))
    assert stand(request) == (None, cast.store.id, "open")
    card = services.bind_member(
        member_id=cast.xiaomei.id, guide_id=cast.chenjing.id, source="scan", actor=DIRECTOR
    )
    handlers.move_requests_of_bound(MemberBound(card.id, cast.xiaomei.id, cast.chenjing.id))
    assert stand(request) == (cast.chenjing.id, cast.other_store.id, "open")


def test_a_guide_who_moves_takes_her_members_requests_and_leaves_the_stores(cast: Cast) -> None:
    hers = brought_to(cast, "accepted")
    stores = ask(cast.xiaoli, store_id=cast.store.id)
    services.accept_request(guide_id=cast.lina.id, public_id=stores.public_id, actor=DIRECTOR)
    moved = services.move_guide(
        guide_id=cast.lina.id, store_id=cast.other_store.id, role="guide", actor=DIRECTOR
    )
    handlers.on_guide_moved(GuideMoved(moved.id, cast.store.id, cast.other_store.id))
    assert stand(hers) == (cast.lina.id, cast.other_store.id, "accepted")
    assert stand(stores) == (None, cast.store.id, "open")


def test_lost_events_are_mended_once(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    services.leave_guide(guide_id=cast.lina.id, actor=DIRECTOR)
    assert tasks.mend_requests() >= 1
    assert stand(request) == (None, cast.store.id, "open")
    later = clock.now() + dt.timedelta(minutes=1)
    assert services.mend_requests(at=later) == 0
    assert services.tell_missed_steps(at=later) == 3
    assert services.tell_missed_steps(at=later) == 0


def test_lost_merges_are_mended(cast: Cast) -> None:
    twin = make_follower("小美二", openid_of("twin"))
    request = ask(twin, store_id=cast.store.id)
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=twin.id, actor=DIRECTOR)
    services.mend_requests()
    assert ServiceRequest.objects.get(pk=request.id).member_id == min(cast.xiaomei.id, twin.id)


def test_the_member_is_told_of_each_step_once(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    guide: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": request.public_id}
    services.write_request(**guide, words="料子到了", actor=DIRECTOR)
    services.finish_request(**guide, words="修好了，随时来取", actor=DIRECTOR)
    for _delivery in range(2):
        tell_all()
    told = messages(cast)
    assert len(told) == 3
    assert "李娜" in told[0]
    assert told[1].endswith("料子到了")
    assert told[2].endswith("修好了，随时来取")


def test_looking_at_what_she_was_told_reads_no_step(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    tell_all()
    assert len(messages(cast)) == 1
    assert selectors.access_member_request(cast.xiaomei.id, request.public_id).request.unread_count == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_step_on_many_workers_is_told_once(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    step = row(request).steps.get(act="accepted")
    told = at_once([lambda: services.tell_of_request_step(step_id=step.pk)] * 8)
    assert sorted(told) == [False] * 7 + [True]
    assert len(messages(cast)) == 1


def test_every_sentence_can_be_said_with_the_longest_words(cast: Cast) -> None:
    RequestKind.objects.filter(code="repair").update(name="长" * 20)
    request = brought_to(cast, "accepted")
    guide: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": request.public_id, "actor": DIRECTOR}
    services.schedule_request(**guide, scheduled_at=clock.now() + dt.timedelta(days=1))
    services.start_request(**guide)
    services.write_request(**guide, words="长" * 300)
    services.hand_over_request(**guide, to_guide_id=cast.wangfang.id)
    services.leave_guide(guide_id=cast.wangfang.id, actor=DIRECTOR)
    services.settle_guide_requests(guide_id=cast.wangfang.id, actor=DIRECTOR)
    services.refuse_request(
        guide_id=cast.zhaoqiang.id, public_id=request.public_id, words="长" * 300, actor=DIRECTOR
    )
    tell_all()
    told = messages(cast)
    assert len(told) == 7
    assert all("%(" not in text for text in told)


def test_guides_have_a_notice_of_what_comes_and_goes(cast: Cast) -> None:
    request = ask(cast.xiaomei)
    services.hand_over_request(
        guide_id=cast.lina.id, public_id=request.public_id, to_guide_id=cast.wangfang.id, actor=DIRECTOR
    )
    queue = ask(cast.xiaoli, store_id=cast.store.id)
    for _delivery in range(2):
        tell_all()
    told = GuideNotice.objects.values_list("guide__name", "kind", "step__request_id").order_by("pk")
    # 李娜's own first notice was overtaken before it was told.
    assert set(told) == {
        ("王芳", "request_came", request.id), ("李娜", "request_gone", request.id),
        ("李娜", "request_came", queue.id), ("王芳", "request_came", queue.id),
        ("赵强", "request_came", queue.id),
    }  # fmt: skip
    line = selectors.list_notices_since(guide_id=cast.wangfang.id, since_id=0)[-1]
    assert (line.kind, line.request_id, line.member.id) == (
        "request_came", request.public_id, cast.xiaomei.id,
    )  # fmt: skip


def test_the_holder_is_told_when_the_member_wants_it_no_more(cast: Cast) -> None:
    request = brought_to(cast, "cancelled")
    tell_all()
    told = GuideNotice.objects.values_list("guide__name", "kind")
    assert list(told) == [("李娜", "request_gone")]
    assert row(request).state == "cancelled"


def test_an_overdue_request_is_marked_and_the_manager_told_once_a_deadline(cast: Cast) -> None:
    request = ask(cast.xiaomei, at=NOON)
    late = NOON + dt.timedelta(hours=9)
    assert services.mark_overdue_requests(at=NOON + dt.timedelta(hours=7)) == 0
    assert services.mark_overdue_requests(at=late) == 1
    assert services.mark_overdue_requests(at=late) == 0
    assert tasks.mark_overdue_requests() == 0
    assert row(request).overdue_since == NOON + dt.timedelta(hours=8)
    notices = GuideNotice.objects.values_list("guide__name", "kind", "member__name")
    assert list(notices) == [("赵强", "request_overdue", "小美")]
    line = selectors.list_guide_requests(cast.zhaoqiang.id, tab="open", at=late).lines[0]
    assert line.is_overdue
    assert selectors.summarize_requests(cast.zhaoqiang.id, at=late).overdue_count == 1

    services.accept_request(guide_id=cast.lina.id, public_id=request.public_id, actor=DIRECTOR, at=late)
    assert row(request).overdue_since is None
    assert services.mark_overdue_requests(at=late + dt.timedelta(days=7)) == 1
    assert GuideNotice.objects.filter(kind="request_overdue").count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_job_on_several_workers_tells_each_manager_once(cast: Cast) -> None:
    for _number in range(3):
        ask(cast.xiaomei, at=NOON)
    counts = at_once([lambda: services.mark_overdue_requests(at=NOON + dt.timedelta(days=2))] * 4)
    assert sum(counts) == 3
    assert GuideNotice.objects.filter(kind="request_overdue").count() == 3


def test_a_done_request_closes_by_itself_after_the_kinds_days(cast: Cast) -> None:
    request = brought_to(cast, "done", at=NOON)
    assert services.close_done_requests(at=NOON + dt.timedelta(days=2, hours=23)) == 0
    services.write_request(
        guide_id=cast.lina.id, public_id=request.public_id, words="有问题找我", actor=DIRECTOR,
        at=NOON + dt.timedelta(days=2),
    )  # fmt: skip
    assert services.close_done_requests(at=NOON + dt.timedelta(days=3)) == 1
    assert services.close_done_requests(at=NOON + dt.timedelta(days=3)) == 0
    assert row(request).state == "closed"
    with time_machine.travel(NOON):
        brought_to(cast, "done")
    assert tasks.close_done_requests() == 1


@pytest.mark.parametrize(
    ("since", "hours", "due"),
    [
        ("2026-03-11 12:00", 4, "2026-03-11 16:00"),
        ("2026-03-11 21:00", 4, "2026-03-12 13:00"),
        ("2026-03-11 23:30", 2, "2026-03-12 12:00"),
        ("2026-03-11 03:00", 12, "2026-03-11 22:00"),
        ("2026-03-14 21:30", 1, "2026-03-16 10:30"),  # a Saturday; Sunday is off
        ("2026-03-13 23:30", 1, "2026-03-14 00:30"),  # Friday's night goes on after midnight
    ],
)
def test_hours_count_while_the_store_is_open(since: str, hours: int, due: str) -> None:
    week = ["10:00-22:00"] * 4 + ["10:00-01:00", "10:00-22:00", ""]

    def at(text: str) -> dt.datetime:
        return dt.datetime.fromisoformat(text).replace(tzinfo=clock.SHANGHAI)

    assert add_open_hours(since=at(since), hours=hours, opening_hours=week) == at(due)


@pytest.mark.parametrize("week", [[], [""] * 7])
def test_without_hours_the_clock_runs_all_day(week: list[str]) -> None:
    assert add_open_hours(since=NOON, hours=13, opening_hours=week) == NOON + dt.timedelta(hours=13)


def test_holdings_move_back_export_and_erase(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    services.write_request(
        guide_id=cast.lina.id, public_id=request.public_id, words="料子到了", actor=DIRECTOR
    )
    over = brought_to(cast, "refused")
    holding, at = RequestHoldings(), clock.now()
    hers, other = cast.xiaomei.id, cast.xiaoli.id
    same = ask(cast.xiaoli, store_id=cast.store.id, request_key=row(request).request_key)
    key = row(request).request_key

    line = holding.preview(survivor_id=other, emptier_id=hers)[0]
    assert "3" in line.outcome
    snapshot = holding.move(emptier_id=hers, survivor_id=other, actor=DIRECTOR, at=at)
    assert set(ServiceRequest.objects.values_list("member_id", flat=True)) == {other}
    holding.restore(emptier_id=hers, survivor_id=other, snapshot=snapshot, actor=DIRECTOR, at=at)
    assert (row(request).member_id, row(request).request_key) == (hers, key)
    assert row(same).member_id == other

    exported = str(holding.export(hers))
    assert "裤脚开线了" in exported
    assert "料子到了" in exported
    assert "这款已经停产" in exported

    assert holding.erase(member_id=hers, actor=DIRECTOR, at=at) == 2
    assert row(request).state == "cancelled"
    assert row(over).state == "refused"
    assert not any(found.words for found in ServiceRequest.objects.filter(member_id=hers))
    assert not any(step.words for step in ServiceRequestStep.objects.filter(request__member_id=hers))
    assert holding.export(hers)["服务请求"][0]["内容"] == ""
    assert row(same).words == "裤脚开线了"


def test_the_audit_names_rows_and_never_what_was_said(cast: Cast) -> None:
    request = brought_to(cast, "refused")
    entries = AuditEntry.objects.filter(subject_kind="guides.servicerequest", subject_id=request.id)
    assert list(entries.order_by("pk").values_list("action", flat=True)) == [
        "guides.request_opened", "guides.request_refused",
    ]  # fmt: skip
    assert "停产" not in str(list(entries.values()))
    assert "开线" not in str(list(entries.values()))


def test_an_actor_without_a_name_is_kept_by_kind(cast: Cast) -> None:
    request = ask(cast.xiaomei, actor=Actor.system("demo"))
    step = row(request).steps.get()
    assert (step.done_by, step.is_own) == ("系统", False)
