"""Service requests: every step allowed and refused, by the right people, once."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.errors import Refusal
from guides import selectors, services
from guides.models import TRANSITIONS, RequestAct, RequestKind, RequestState, ServiceRequest
from members import services as member_services
from members.models import Member
from tests.cast import DIRECTOR, Cast, make_follower, make_guide, openid_of
from tests.guides.requests_kit import ask, brought_to, make_kinds, row
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _kinds(db: None) -> None:
    make_kinds()


def code_of(call: Callable[[], Any]) -> str:
    """The code of the refusal, empty when there is none."""
    try:
        call()
    except Refusal as refusal:
        return refusal.code
    return ""


def as_guide(guide: Any, request: Any, **more: Any) -> dict[str, Any]:
    return {
        "guide_id": guide.id,
        "public_id": request.public_id,
        "actor": Actor.guide(guide.id, guide.name),
        **more,
    }


def as_member(member: Any, request: Any) -> dict[str, Any]:
    return {"member_id": member.id, "public_id": request.public_id, "actor": Actor.member(member.id)}


def do(cast: Cast, act: RequestAct, request: Any) -> None:
    """The act, by whoever may do it."""
    hers = as_guide(cast.lina, request)
    later = clock.now() + dt.timedelta(days=2)
    calls: dict[RequestAct, Callable[[], Any]] = {
        RequestAct.ACCEPTED: lambda: services.accept_request(**hers),
        RequestAct.SCHEDULED: lambda: services.schedule_request(**hers, scheduled_at=later),
        RequestAct.STARTED: lambda: services.start_request(**hers),
        RequestAct.SAID: lambda: services.write_request(**hers, words="料子到了"),
        RequestAct.FINISHED: lambda: services.finish_request(**hers),
        RequestAct.REFUSED: lambda: services.refuse_request(**hers, words="修不了"),
        RequestAct.HANDED_OVER: lambda: services.hand_over_request(**hers, to_guide_id=cast.wangfang.id),
        RequestAct.CANCELLED: lambda: services.cancel_request(**as_member(cast.xiaomei, request)),
        RequestAct.CLOSED: lambda: services.close_request(**as_member(cast.xiaomei, request)),
    }
    calls[act]()


BY_PEOPLE = [act for act in TRANSITIONS if act not in (RequestAct.FOLLOWED, RequestAct.STORE_CHANGED)]
# A second tap: what is asked for is so already.
REPEATS = {
    (RequestAct.ACCEPTED, "accepted"), (RequestAct.STARTED, "in_progress"), (RequestAct.FINISHED, "done"),
    (RequestAct.REFUSED, "refused"), (RequestAct.CANCELLED, "cancelled"), (RequestAct.CLOSED, "closed"),
}  # fmt: skip


@pytest.mark.parametrize("state", RequestState.values)
@pytest.mark.parametrize("act", BY_PEOPLE)
def test_the_table_of_transitions_is_what_happens(cast: Cast, act: RequestAct, state: str) -> None:
    request = brought_to(cast, state)
    steps = row(request).steps.count()
    code = code_of(lambda: do(cast, act, request))

    transition = TRANSITIONS[act]
    if state in transition.sources:
        assert (code, row(request).state) == ("", transition.target or state)
        assert row(request).steps.count() == steps + 1
    elif (act, state) in REPEATS:
        assert (code, row(request).state, row(request).steps.count()) == ("", state, steps)
    else:
        assert (code, row(request).state) == ("guides.request_moved_on", state)
        assert row(request).steps.count() == steps


def test_a_request_goes_to_the_exclusive_guide_and_her_store(cast: Cast) -> None:
    request = ask(cast.xiaomei, words=" 裤脚\x00开线\r\n了\x1b ")
    assert (request.guide_id, request.store_id, request.state) == (cast.lina.id, cast.store.id, "open")
    assert request.words == "裤脚开线\n了"
    assert request.acts == {"cancelled"}
    stored = ServiceRequest.objects.filter(pk=request.id).extra(select={"raw": "words"}).values_list("raw")
    assert "裤脚" not in str(stored)


def test_without_a_guide_the_chosen_store_has_it(cast: Cast) -> None:
    assert code_of(lambda: ask(cast.xiaoli)) == "guides.request_store_missing"
    assert code_of(lambda: ask(cast.xiaoli, store_id=10**9)) == "guides.request_store_missing"
    request = ask(cast.xiaoli, store_id=cast.other_store.id)
    assert (request.guide_id, request.store_id) == (None, cast.other_store.id)


def test_a_member_may_choose_another_store_than_her_guides(cast: Cast) -> None:
    request = ask(cast.xiaomei, store_id=cast.other_store.id)
    assert (request.guide_id, request.store_id) == (None, cast.other_store.id)
    assert services.settle_member_requests(member_id=cast.xiaomei.id, actor=DIRECTOR) == 0
    assert services.mend_requests() == 0


def test_a_closed_store_is_refused(cast: Cast) -> None:
    from tests.cast import make_store

    store = make_store("T05", "快闪店", cast.east.id)
    services.close_store(store_id=store.id, actor=DIRECTOR)
    assert code_of(lambda: ask(cast.xiaoli, store_id=store.id)) == "guides.store_closed"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"words": ""}, "guides.request_words_unusable"),
        ({"words": " \x00\x07\u200b "}, "guides.request_words_unusable"),
        ({"words": "长" * 301}, "guides.request_words_unusable"),
        ({"words": "长" * 300}, ""),
        ({"kind": "nothing"}, "guides.request_kind_closed"),
        ({"kind": "\x00"}, "guides.request_kind_closed"),
        ({"kind": "visit"}, "guides.request_time_unusable"),
        (
            {"kind": "visit", "wanted_at": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)},
            "guides.request_time_unusable",
        ),
        ({"wanted_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "guides.request_time_unusable"),
        ({"wanted_at": dt.datetime(2027, 1, 1)}, "guides.request_time_unusable"),
    ],
)
def test_what_cannot_be_asked(cast: Cast, values: dict[str, Any], code: str) -> None:
    assert code_of(lambda: ask(cast.xiaomei, **values)) == code
    assert ServiceRequest.objects.count() == (0 if code else 1)


def test_a_visit_needs_a_time_and_no_words(cast: Cast) -> None:
    request = ask(cast.xiaomei, kind="visit", words="", wanted_at=clock.now() + dt.timedelta(hours=3))
    assert request.words == ""


def test_a_kind_that_is_off_takes_nothing_new_and_goes_on_with_the_old(cast: Cast) -> None:
    request = ask(cast.xiaomei, request_key="first")
    RequestKind.objects.filter(code="repair").update(is_active=False)
    assert "repair" not in {kind.code for kind in selectors.list_request_kinds()}
    assert code_of(lambda: ask(cast.xiaomei)) == "guides.request_kind_closed"
    assert ask(cast.xiaomei, request_key="first").id == request.id
    services.accept_request(**as_guide(cast.lina, request))


def test_the_same_key_is_the_same_request_and_another_content_is_refused(cast: Cast) -> None:
    first = ask(cast.xiaomei, request_key="k")
    assert ask(cast.xiaomei, request_key="k").id == first.id
    assert code_of(lambda: ask(cast.xiaomei, request_key="k", kind="other")) == "guides.request_key_reused"
    assert ask(cast.xiaoli, request_key="k", store_id=cast.store.id).id != first.id
    assert row(first).steps.count() == 1


def test_an_eleventh_unfinished_request_is_refused(cast: Cast) -> None:
    made = [ask(cast.xiaomei) for _number in range(10)]
    assert code_of(lambda: ask(cast.xiaomei)) == "guides.too_many_requests"
    services.cancel_request(**as_member(cast.xiaomei, made[0]))
    ask(cast.xiaomei)


def test_foreign_and_unknown_requests_look_the_same_to_members(cast: Cast) -> None:
    theirs = ask(cast.xiaomei)
    for call in (services.cancel_request, services.close_request):
        for public_id in (theirs.public_id, "2222222222222222", "\x00", ""):
            act: dict[str, Any] = {"member_id": cast.xiaoli.id, "public_id": public_id, "actor": DIRECTOR}
            assert code_of(partial(call, **act)) == "guides.no_such_request"
    with pytest.raises(Refusal) as foreign:
        selectors.access_member_request(cast.xiaoli.id, theirs.public_id)
    with pytest.raises(Refusal) as unknown:
        selectors.access_member_request(cast.xiaoli.id, "2222222222222222")
    assert (foreign.value.code, foreign.value.details) == (unknown.value.code, unknown.value.details)
    assert selectors.list_member_requests(cast.xiaoli.id).requests == ()
    services.read_request(member_id=cast.xiaoli.id, public_id=theirs.public_id, up_to_step_id=10**9)


def test_foreign_and_unknown_requests_look_the_same_to_guides(cast: Cast) -> None:
    request = ask(cast.xiaomei)
    for guide in (cast.wangfang, cast.chenjing):
        hers = as_guide(guide, request)
        for service in (services.accept_request, services.start_request, services.finish_request):
            assert code_of(partial(service, **hers)) == "guides.no_such_request"
        assert code_of(partial(services.refuse_request, **hers, words="不")) == "guides.no_such_request"
        with pytest.raises(Refusal) as refused:
            selectors.access_guide_request(guide.id, request.public_id)
        assert refused.value.code == "guides.no_such_request"
    assert row(request).state == "open"


def test_the_manager_sees_and_does_all_of_her_store(cast: Cast) -> None:
    request = ask(cast.xiaomei)
    services.accept_request(**as_guide(cast.lina, request))
    manager = cast.zhaoqiang
    assert selectors.summarize_requests(manager.id).doing_count == 1
    line, _steps = selectors.access_guide_request(manager.id, request.public_id)
    assert "finished" in line.request.acts
    assert code_of(lambda: services.accept_request(**as_guide(manager, request))) == "guides.request_taken"
    for _tap in range(2):
        services.finish_request(**as_guide(manager, request), words="修好了")
    assert row(request).guide_id == cast.lina.id
    assert row(request).steps.count() == 3


def test_a_guide_of_the_queue_may_accept_and_nothing_else(cast: Cast) -> None:
    request = ask(cast.xiaoli, store_id=cast.store.id)
    assert code_of(lambda: services.refuse_request(**as_guide(cast.lina, request), words="不")) == (
        "core.not_allowed"
    )
    services.accept_request(**as_guide(cast.lina, request))
    assert code_of(lambda: services.accept_request(**as_guide(cast.wangfang, request))) == (
        "guides.request_taken"
    )
    assert code_of(lambda: services.accept_request(**as_guide(cast.chenjing, request))) == (
        "guides.no_such_request"
    )


def test_a_guide_who_has_left_does_nothing_more(cast: Cast) -> None:
    request = ask(cast.xiaomei)
    services.leave_guide(guide_id=cast.lina.id, actor=DIRECTOR)
    assert code_of(lambda: services.accept_request(**as_guide(cast.lina, request))) == (
        "guides.no_such_request"
    )


def test_words_are_written_once_for_a_key(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    for _tap in range(2):
        services.write_request(**as_guide(cast.lina, request), words="料子到了", request_key="w1")
    assert row(request).steps.filter(act="said").count() == 1
    for words in ("", "\x00", "长" * 301):
        call = as_guide(cast.lina, request, words=words)
        for service in (services.write_request, services.refuse_request):
            assert code_of(partial(service, **call)) == ("guides.request_words_unusable")


def test_a_time_is_agreed_on_once_and_moves_the_deadline(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    before = row(request).due_at
    later = clock.now() + dt.timedelta(days=9)
    for _tap in range(2):
        services.schedule_request(**as_guide(cast.lina, request), scheduled_at=later)
    due_at = row(request).due_at
    assert before is not None
    assert due_at is not None
    assert due_at > later > before
    assert row(request).steps.filter(act="scheduled").count() == 1
    for wrong in (clock.now() - dt.timedelta(minutes=1), clock.now() + dt.timedelta(days=400)):
        call = as_guide(cast.lina, request, scheduled_at=wrong)
        assert code_of(partial(services.schedule_request, **call)) == ("guides.request_time_unusable")
    due_at = row(request).due_at
    services.start_request(**as_guide(cast.lina, request))
    assert row(request).due_at == due_at


def test_handing_on_is_within_the_store_and_to_people_at_work(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    gone = make_guide("T009", "周敏", cast.store.id)
    services.leave_guide(guide_id=gone.id, actor=DIRECTOR)
    for to in (cast.chenjing.id, gone.id, 10**9):
        call = as_guide(cast.lina, request, to_guide_id=to)
        assert code_of(partial(services.hand_over_request, **call)) == ("guides.not_your_colleague")
    services.hand_over_request(**as_guide(cast.lina, request, to_guide_id=cast.wangfang.id, note="她要试色"))
    assert (row(request).guide_id, row(request).state) == (cast.wangfang.id, "open")
    services.accept_request(**as_guide(cast.wangfang, request))
    services.hand_over_request(**as_guide(cast.wangfang, request, to_guide_id=None))
    assert (row(request).guide_id, row(request).state) == (None, "open")
    assert code_of(lambda: services.finish_request(**as_guide(cast.wangfang, request))) != ""
    notes = [step.note for step in selectors.access_member_request(cast.xiaomei.id, request.public_id).steps]
    assert set(notes) == {""}


def test_staff_reassigns_across_stores(cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    for _tap in range(2):
        services.reassign_request(request_id=request.id, to_guide_id=cast.chenjing.id, actor=DIRECTOR)
    now = row(request)
    assert (now.guide_id, now.store_id, now.state) == (cast.chenjing.id, cast.other_store.id, "open")
    assert now.steps.filter(act="handed_over").count() == 1
    assert services.mend_requests() == 0
    services.leave_guide(guide_id=cast.chenjing.id, actor=DIRECTOR)
    again: dict[str, Any] = {"request_id": request.id, "to_guide_id": cast.chenjing.id, "actor": DIRECTOR}
    assert code_of(partial(services.reassign_request, **again)) == "guides.guide_has_left"
    assert code_of(
        lambda: services.reassign_request(request_id=10**9, to_guide_id=cast.lina.id, actor=DIRECTOR)
    ) == ("guides.no_such_request")


def test_a_member_reads_her_steps_up_to_what_she_saw(cast: Cast) -> None:
    request = brought_to(cast, "done")
    page = selectors.list_member_requests(cast.xiaomei.id)
    assert [card.unread_count for card in page.requests] == [2]
    assert selectors.count_unread_requests(cast.xiaomei.id) == 1
    detail = selectors.access_member_request(cast.xiaomei.id, request.public_id)
    assert [(step.act, step.is_unread, step.is_own) for step in detail.steps] == [
        ("opened", False, True),
        ("accepted", True, False),
        ("finished", True, False),
    ]
    read: dict[str, Any] = {"member_id": cast.xiaomei.id, "public_id": request.public_id}
    assert services.read_request(**read, up_to_step_id=detail.steps[1].id) == 1
    assert services.read_request(**read, up_to_step_id=10**9) == 1
    assert selectors.count_unread_requests(cast.xiaomei.id) == 0


def test_pages_hold_every_request_once(cast: Cast) -> None:
    now = clock.now()
    made = [ask(cast.xiaomei, at=now - dt.timedelta(minutes=number // 2)).id for number in range(7)]
    seen, cursor = [], None
    while True:
        page = selectors.list_member_requests(cast.xiaomei.id, cursor, limit=3)
        seen += [card.id for card in page.requests]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    hers, cursor = [], None
    while True:
        lines = selectors.list_guide_requests(cast.lina.id, tab="open", cursor=cursor, limit=3)
        hers += [line.request.id for line in lines.lines]
        cursor = lines.next_cursor
        if cursor is None:
            break
    assert sorted(hers) == sorted(made)


def test_a_cursor_of_another_list_is_refused(cast: Cast) -> None:
    for _number in range(3):
        ask(cast.xiaomei)
    cursor = selectors.list_member_requests(cast.xiaomei.id, limit=1).next_cursor
    assert cursor
    assert code_of(lambda: selectors.list_member_requests(cast.xiaoli.id, cursor)) == "core.invalid_input"
    assert code_of(lambda: selectors.list_guide_requests(cast.lina.id, tab="open", cursor=cursor)) == (
        "core.invalid_input"
    )
    assert code_of(lambda: selectors.list_member_requests(cast.xiaomei.id, "x")) == "core.invalid_input"


def test_lists_of_a_guide_and_of_her_manager(cast: Cast) -> None:
    mine = ask(cast.xiaomei)
    waiting = ask(cast.xiaoli, store_id=cast.store.id)
    doing = brought_to(cast, "in_progress")
    over = brought_to(cast, "refused")

    def ids(guide: Any, tab: Any) -> set[int]:
        return {line.request.id for line in selectors.list_guide_requests(guide.id, tab=tab).lines}

    assert ids(cast.lina, "open") == {mine.id, waiting.id}
    assert ids(cast.lina, "doing") == {doing.id}
    assert ids(cast.lina, "finished") == {over.id}
    assert ids(cast.wangfang, "open") == {waiting.id}
    assert ids(cast.wangfang, "doing") == ids(cast.chenjing, "open") == set()
    assert ids(cast.zhaoqiang, "open") == {mine.id, waiting.id}
    assert ids(cast.zhaoqiang, "doing") == {doing.id}
    summary = selectors.summarize_requests(cast.zhaoqiang.id)
    assert (summary.open_count, summary.doing_count, summary.overdue_count) == (2, 1, 0)
    of_member = selectors.list_requests_of_member_for_guide(cast.lina.id, cast.xiaomei.id)
    assert {card.id for card in of_member} == {mine.id, doing.id, over.id}
    assert of_member[-1].id == over.id
    of_manager = selectors.list_requests_of_member_for_guide(cast.zhaoqiang.id, cast.xiaomei.id)
    assert of_manager == of_member
    assert selectors.list_requests_of_member_for_guide(cast.chenjing.id, cast.xiaomei.id) == ()


def test_kinds_are_checked(cast: Cast) -> None:
    make: dict[str, Any] = {"actor": DIRECTOR}
    for values, code in (
        ({"name": ""}, "guides.request_kind_unusable"),
        ({"name": "长" * 21}, "guides.request_kind_unusable"),
        ({"name": "洗护", "accept_within_hours": 0}, "guides.request_kind_unusable"),
        ({"name": "洗护", "close_after_days": 91}, "guides.request_kind_unusable"),
        ({"name": "售后维修"}, "guides.request_kind_name_taken"),
    ):
        assert code_of(partial(services.create_request_kind, **make, **values)) == code
    card = services.create_request_kind(**make, name="洗护")
    changed = services.change_request_kind(
        **make, kind_id=card.id, name="洗护", wants_time=True, accept_within_hours=2, finish_within_hours=5,
        close_after_days=1, is_active=False, order=9,
    )  # fmt: skip
    assert (changed.wants_time, changed.is_active, changed.code) == (True, False, card.code)


@pytest.mark.django_db(transaction=True)
def test_of_many_guides_who_accept_at_once_one_has_it(cast: Cast) -> None:
    guides = [cast.lina, cast.wangfang, *(make_guide(f"T1{n}", f"导购{n}", cast.store.id) for n in range(6))]
    request = ask(cast.xiaoli, store_id=cast.store.id)
    answers = at_once([partial(services.accept_request, **as_guide(guide, request)) for guide in guides])
    won = [answer for answer in answers if not isinstance(answer, Exception)]
    assert [card.guide_id for card in won] == [row(request).guide_id]
    lost = [answer for answer in answers if isinstance(answer, Exception)]
    assert {getattr(answer, "code", repr(answer)) for answer in lost} == {"guides.request_taken"}
    assert row(request).steps.filter(act="accepted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_would_have_it(cast: Cast) -> None:
    import threading

    request = ask(cast.xiaoli, store_id=cast.store.id)
    looked = threading.Barrier(2)

    def careless(guide_id: int) -> bool:
        free = ServiceRequest.objects.get(pk=request.id).state == "open"
        looked.wait(timeout=30)
        if free:
            ServiceRequest.objects.filter(pk=request.id).update(state="accepted", guide_id=guide_id)
        return free

    won = at_once([lambda: careless(cast.lina.id), lambda: careless(cast.wangfang.id)])
    assert won == [True, True]


@pytest.mark.django_db(transaction=True)
def test_taking_back_while_it_is_accepted_ends_in_one_clear_state(cast: Cast) -> None:
    for _round in range(6):
        request = ask(cast.xiaomei)
        cancelled, accepted = at_once(
            [
                partial(services.cancel_request, **as_member(cast.xiaomei, request)),
                partial(services.accept_request, **as_guide(cast.lina, request)),
            ]
        )
        assert not isinstance(cancelled, Exception), cancelled
        assert row(request).state == "cancelled"
        acts = list(row(request).steps.order_by("pk").values_list("act", flat=True))
        if isinstance(accepted, Exception):
            assert getattr(accepted, "code", repr(accepted)) == "guides.request_moved_on"
            assert acts == ["opened", "cancelled"]
        else:
            assert acts == ["opened", "accepted", "cancelled"]


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_once_is_one_request(cast: Cast) -> None:
    answers = at_once([lambda: ask(cast.xiaomei, request_key="same")] * 8)
    assert {getattr(answer, "id", answer) for answer in answers} == {ServiceRequest.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_a_guide_who_leaves_while_she_accepts_keeps_nothing(cast: Cast) -> None:
    for number in range(4):
        guide = make_guide(f"T3{number}", "短工", cast.store.id)
        request = ask(cast.xiaoli, store_id=cast.store.id)
        at_once(
            [
                partial(services.accept_request, **as_guide(guide, request)),
                partial(services.leave_guide, guide_id=guide.id, actor=DIRECTOR),
            ]
        )
        services.settle_guide_requests(guide_id=guide.id, actor=DIRECTOR)
        assert (row(request).guide_id, row(request).state) == (None, "open")
        services.cancel_request(**as_member(cast.xiaoli, request))


def test_a_merged_members_requests_are_the_survivors(cast: Cast) -> None:
    twin = make_follower("小美二", openid_of("twin"))
    hers = ask(cast.xiaomei, request_key="same")
    theirs = ask(twin, store_id=cast.other_store.id, request_key="same")
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=twin.id, actor=DIRECTOR)
    survivor = Member.objects.get(merged_into=None, pk__in=[cast.xiaomei.id, twin.id])

    page = selectors.list_member_requests(survivor.pk)
    assert {card.id for card in page.requests} == {hers.id, theirs.id}
    assert sorted(str(row(card).request_key) for card in page.requests) == ["None", "same"]
