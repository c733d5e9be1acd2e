"""Bulk issue: whole audiences, limits honoured, reasons counted, killed in the middle, run by several at once."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from core import clock
from core.errors import Refusal
from coupons import selectors, services, tasks
from coupons.contracts import BatchTerms, IssueDraft, RedemptionContext
from coupons.models import SHARDS, Coupon, IssueJob, IssueSlice, PartnerCode
from coupons.services import bulk
from members import selectors as member_selectors
from members.models import Member
from tests.coupons.kit import BOSS, check_counters, claim, key, later, make_batch, make_members, make_template
from tests.killed_job import killed_while_waiting
from tests.refusals import refused
from tests.stack import wait_until
from tests.threads import at_once, somebody_waits


def issue(batch: int, members: Any, job_key: str = "", **values: Any) -> Any:
    return services.issue_coupons(
        batch_id=batch, member_ids=members, key=job_key or key(), actor=BOSS, **values
    )


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "SLICE", 4)


@pytest.mark.django_db
def test_an_audience_gets_its_coupons_once_also_when_asked_twice() -> None:
    make_members(11)
    batch = make_batch(member_limit=5, at=later(days=-1))
    progress = issue(batch, member_selectors.living_member_ids(), "launch")
    assert (progress.state, progress.asked_count, progress.done_count, progress.issued_count) == (
        "done",
        11,
        11,
        11,
    )
    make_members(1)
    assert issue(batch, member_selectors.living_member_ids(), "launch") == progress
    assert set(Coupon.objects.values_list("ordinal", "door")) == {(1, "system")}
    assert IssueSlice.objects.count() == 3
    check_counters(batch)


@pytest.mark.django_db
def test_ids_may_also_be_a_list_with_repeats_and_strangers() -> None:
    first, second = make_members(2)
    progress = issue(make_batch(), [second, first, second, 987_654])
    assert (progress.asked_count, progress.issued_count, progress.refused) == (3, 2, {"no_member": 1})


@pytest.mark.django_db
def test_those_who_may_have_none_are_counted_by_reason() -> None:
    members = make_members(10)
    batch = make_batch(5, member_limit=1)
    claim(batch, members[0])
    progress = issue(batch, members)
    assert (progress.issued_count, progress.refused) == (4, {"over_limit": 1, "sold_out": 5})
    check_counters(batch)
    daily = make_batch(50, member_daily_limit=1)
    claim(daily, members[3])
    assert issue(daily, members).refused == {"over_daily_limit": 1}
    poor = make_batch(50, budget_fen=6 * 3_000)
    assert issue(poor, members).refused == {"budget_spent": 4}
    check_counters(poor)


@pytest.mark.django_db
def test_the_room_that_is_left_lies_where_a_claim_finds_it() -> None:
    batch = make_batch(20)
    issue(batch, make_members(17))
    for member in make_members(3):
        claim(batch, member)
    check_counters(batch)


@pytest.mark.django_db
def test_a_guides_bulk_issue_stays_within_her_quota(cast: Any) -> None:
    batch = make_batch(guide_quota=6)
    progress = issue(batch, make_members(9), door="guide", guide_id=cast.lina.id, store_id=cast.store.id)
    assert (progress.issued_count, progress.refused) == (6, {"guide_quota_spent": 3})
    assert selectors.get_guide_quota(batch_id=batch, guide_id=cast.lina.id).remaining_count == 0
    assert set(Coupon.objects.values_list("issued_by_guide_id", "issued_store_id")) == {
        (cast.lina.id, cast.store.id)
    }


@pytest.mark.django_db
def test_who_is_merged_after_the_freeze_gets_one_as_who_she_is() -> None:
    emptier, survivor, lonely = make_members(3)
    batch = make_batch()
    job = services.start_issue_job(
        batch_id=batch, member_ids=[emptier, survivor, lonely], key="m", actor=BOSS
    )
    Member.objects.filter(pk=emptier).update(merged_into_id=survivor)
    progress = services.run_issue_job(job_id=job.job_id, actor=BOSS)
    assert sorted(Coupon.objects.values_list("member_id", flat=True)) == [survivor, lonely]
    assert (progress.issued_count, progress.state) == (2, "done")


@pytest.mark.django_db
def test_bad_requests_start_nothing() -> None:
    members, batch = make_members(1), make_batch()
    start = partial(services.start_issue_job, member_ids=members, actor=BOSS)
    assert refused(start, batch_id=987_654, key="k") == "coupons.no_such_batch"
    assert refused(start, batch_id=batch, key="") == "coupons.request_key_unusable"
    assert refused(start, batch_id=batch, key="k", door="guide") == "coupons.guide_missing"
    assert refused(start, batch_id=make_batch(doors=("claim",)), key="k") == "coupons.wrong_door"
    assert refused(start, batch_id=make_batch(is_open=False), key="k") == "coupons.batch_not_open"
    assert not IssueJob.objects.exists()
    start(batch_id=batch, key="k")
    assert refused(start, batch_id=make_batch(), key="k") == "coupons.request_reused"
    with pytest.raises(Refusal) as caught:
        selectors.get_issue_progress(987_654)
    assert caught.value.code == "coupons.no_such_job"


@pytest.mark.django_db
def test_a_paused_batch_keeps_the_job_waiting_and_an_ended_one_stops_it() -> None:
    members = make_members(3)
    for stop, state in ((services.pause_batch, "running"), (services.end_batch, "stopped")):
        batch = make_batch()
        job = services.start_issue_job(batch_id=batch, member_ids=members, key=key(), actor=BOSS)
        stop(batch_id=batch, actor=BOSS)
        progress = services.run_issue_job(job_id=job.job_id, actor=BOSS)
        assert (progress.state, progress.issued_count) == (state, 0)
        if state == "running":
            services.open_batch(batch_id=batch, actor=BOSS)
            assert services.resume_issue_jobs(actor=BOSS) == 1
            assert selectors.get_issue_progress(job.job_id).issued_count == 3
        else:
            assert progress.stop_reason == "ended"


@pytest.mark.django_db
def test_the_daily_limit_of_a_bulk_issue_turns_at_shanghais_midnight() -> None:
    members, batch = make_members(5), make_batch(member_daily_limit=1)
    midnight = clock.day_bounds(clock.business_day(clock.now()))[1]
    issue(batch, members[:3], at=midnight - dt.timedelta(microseconds=1))
    assert issue(batch, members, at=midnight - dt.timedelta(microseconds=1)).refused == {
        "over_daily_limit": 3
    }
    assert issue(batch, members, at=midnight).issued_count == 5


@pytest.mark.django_db
def test_a_job_whose_wake_up_was_lost_is_done_by_the_timetable_and_once_however_often_it_runs() -> None:
    members, batch = make_members(9), make_batch()
    services.start_issue_job(batch_id=batch, member_ids=members, key="lost", actor=BOSS)
    assert [tasks.resume_issue_jobs() for _ in range(3)] == [1, 0, 0]
    assert sorted(Coupon.objects.values_list("member_id", flat=True)) == members


@pytest.mark.django_db(transaction=True)
def test_killed_inside_a_slice_the_job_goes_on_as_if_nothing_had_been() -> None:
    members, batch = make_members(14), make_batch(100)
    job = services.start_issue_job(batch_id=batch, member_ids=members, key="k", actor=BOSS)
    statements = (
        "from core.actor import Actor\nfrom coupons import services\n"
        f"services.run_issue_job(job_id={job.job_id}, actor=Actor.system('killed'))"
    )
    # It waits for the ninth member, in its third slice, with the counters' locks still ahead.
    lock = "SELECT id FROM members_member WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(statements, lock=lock, values={"id": members[8]}):
        progress = selectors.get_issue_progress(job.job_id)
        assert (progress.state, progress.issued_count) == ("running", 8)
        check_counters(batch)
    assert services.resume_issue_jobs(actor=BOSS) == 1
    done = selectors.get_issue_progress(job.job_id)
    assert (done.state, done.issued_count, done.done_count) == ("done", 14, 14)
    assert sorted(Coupon.objects.values_list("member_id", flat=True)) == members
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_several_processes_share_one_job_and_claims_go_on_beside_it() -> None:
    members, others, batch = make_members(40), make_members(10), make_batch(45)
    job = services.start_issue_job(batch_id=batch, member_ids=members, key="k", actor=BOSS)
    run = partial(services.run_issue_job, job_id=job.job_id, actor=BOSS)
    answers = at_once([run, run, run, *(partial(claim, batch, member) for member in others)])
    assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refusal)] == []
    progress = run()
    assert (progress.state, progress.done_count) == ("done", 40)
    assert Coupon.objects.filter(batch_id=batch).count() == 45
    check_counters(batch)


@pytest.mark.django_db
def test_a_slice_costs_the_same_whatever_its_size(
    django_assert_max_num_queries: Any, monkeypatch: Any
) -> None:
    members, batch = make_members(60), make_batch()
    monkeypatch.setattr(bulk, "SLICE", 100)
    job = services.start_issue_job(batch_id=batch, member_ids=members, key="k", actor=BOSS)
    with django_assert_max_num_queries(25):
        services.run_issue_job(job_id=job.job_id, actor=BOSS)


@pytest.mark.django_db
def test_a_partners_codes_are_handed_out_each_once() -> None:
    template = make_template()
    batch = services.create_batch(
        template_id=template,
        terms=BatchTerms(name="合作", quota=0, doors=("claim", "system"), member_limit=None),
        partner_name="咖啡店",
        actor=BOSS,
    ).id
    assert refused(services.open_batch, batch_id=batch, actor=BOSS) == "coupons.batch_unusable"
    lines = [f"CAFE-{number:03d}" for number in range(20)] + ["", "CAFE-003", "two words", "x" * 65, "a\tb"]
    done = services.import_partner_codes(batch_id=batch, lines=lines, actor=BOSS)
    assert (done.added_count, done.repeated_count, done.bad_lines) == (20, 1, (23, 24, 25))
    assert services.import_partner_codes(batch_id=batch, lines=lines[:20], actor=BOSS).added_count == 0
    services.open_batch(batch_id=batch, actor=BOSS)
    issue(batch, make_members(6))
    for member in make_members(14):
        claim(batch, member)
    codes = set(Coupon.objects.filter(batch_id=batch).values_list("partner_code", flat=True))
    assert codes == set(lines[:20])
    assert not PartnerCode.objects.filter(is_taken=False).exists()
    check_counters(batch)
    card = selectors.list_member_coupons(Coupon.objects.filter(batch_id=batch)[0].member_id).cards[0]
    check = selectors.check_coupon(card.code, context=selectors_context())
    assert [reason.code for reason in check.reasons] == ["coupons.partner_coupon"]
    assert refused(services.extend_quota, batch_id=batch, more=1, actor=BOSS) == "coupons.partner_batch"
    assert (
        refused(services.import_partner_codes, batch_id=make_batch(), lines=["a"], actor=BOSS)
        == "coupons.partner_batch"
    )
    services.end_batch(batch_id=batch, actor=BOSS)
    assert (
        refused(services.import_partner_codes, batch_id=batch, lines=["new"], actor=BOSS)
        == "coupons.batch_ended"
    )


def draft(batch: int, members: Any, job_key: str = "", **values: Any) -> Any:
    given = IssueDraft(audience_words="老客", **values)
    return services.draft_issue_job(
        batch_id=batch, member_ids=members, key=job_key or key(), draft=given, actor=BOSS
    )


@pytest.mark.django_db
def test_a_draft_issues_nothing_until_it_is_confirmed_once() -> None:
    members, batch = make_members(5), make_batch()
    progress = draft(batch, members, "d")
    assert (progress.state, progress.asked_count) == ("draft", 5)
    assert draft(batch, members[:1], "d") == progress
    assert services.resume_issue_jobs(actor=BOSS) == 0
    assert services.run_issue_job(job_id=progress.job_id, actor=BOSS).issued_count == 0
    for _ in range(2):
        assert services.confirm_issue_job(job_id=progress.job_id, actor=BOSS).state == "running"
    assert services.run_issue_job(job_id=progress.job_id, actor=BOSS).issued_count == 5
    for call in (services.confirm_issue_job, services.pause_issue_job, services.stop_issue_job):
        assert refused(call, job_id=progress.job_id, actor=BOSS) == "coupons.job_not_in_this_state"
    assert refused(services.stop_issue_job, job_id=987_654, actor=BOSS) == "coupons.no_such_job"


@pytest.mark.django_db
def test_a_draft_of_nobody_and_one_of_an_ended_batch_are_refused() -> None:
    batch = make_batch()
    assert refused(draft, batch=batch, members=[]) == "coupons.audience_empty"
    assert not IssueJob.objects.exists()
    empty = draft(batch, [], bad_lines={1: "unknown"})
    assert refused(services.confirm_issue_job, job_id=empty.job_id, actor=BOSS) == "coupons.audience_empty"
    waiting = draft(batch, make_members(1))
    services.end_batch(batch_id=batch, actor=BOSS)
    assert refused(services.confirm_issue_job, job_id=waiting.job_id, actor=BOSS) == "coupons.batch_ended"
    assert services.stop_issue_job(job_id=waiting.job_id, actor=BOSS).state == "stopped"
    assert services.stop_issue_job(job_id=waiting.job_id, actor=BOSS).stop_reason == "by_staff"


@pytest.mark.django_db
def test_who_got_none_is_kept_by_name_and_erased_members_get_none() -> None:
    first, second, third, gone = make_members(4)
    batch = make_batch(2, member_limit=1)
    claim(batch, first)
    Member.objects.filter(pk=gone).update(stage="erased", erased_at=later())
    progress = issue(batch, [first, second, third, gone])
    missed = IssueSlice.objects.values_list("missed", flat=True).get()
    assert missed == {"over_limit": [first], "erased": [gone], "sold_out": [third]}
    assert progress.refused == {"over_limit": 1, "erased": 1, "sold_out": 1}


def working_on_a_slice(job_id: int, began: threading.Event, stopped: threading.Event) -> None:
    """A worker in the middle of a slice until whoever stops it has answered, or waits for the slice."""
    with transaction.atomic():
        row = (
            IssueSlice.objects.filter(job_id=job_id, is_done=False).defer("member_ids", "missed").claim(1)[0]
        )
        began.set()
        wait_until(lambda: stopped.is_set() or somebody_waits(), within_s=30, what="the stop")
        bulk._run_slice(row, later())


def stop_beside_a_worker(stop: Any) -> tuple[int, int]:
    """Coupons there were when `stop` had answered, and when the worker had ended."""
    batch = make_batch(100)
    job = services.start_issue_job(batch_id=batch, member_ids=make_members(6), key=key(), actor=BOSS)
    began, stopped = threading.Event(), threading.Event()

    def stopping() -> int:
        assert began.wait(30)
        stop(job.job_id)
        count = Coupon.objects.filter(batch_id=batch).count()
        stopped.set()
        return count

    seen, _worker = at_once([stopping, partial(working_on_a_slice, job.job_id, began, stopped)])
    services.run_issue_job(job_id=job.job_id, actor=BOSS)
    check_counters(batch)
    return seen, Coupon.objects.filter(batch_id=batch).count()


@pytest.mark.django_db(transaction=True)
def test_after_a_stop_has_answered_nothing_more_is_issued() -> None:
    for stop in (services.stop_issue_job, services.pause_issue_job):
        assert stop_beside_a_worker(lambda job_id, stop=stop: stop(job_id=job_id, actor=BOSS)) == (4, 4)


@pytest.mark.django_db(transaction=True)
def test_a_stop_that_does_not_wait_for_the_slice_answers_too_early() -> None:
    """The twin: what the desk shows as the last number is not the last."""

    def bare(job_id: int) -> None:
        IssueJob.objects.filter(pk=job_id).update(
            state="stopped", stop_reason="by_staff", finished_at=later()
        )

    assert stop_beside_a_worker(bare) == (0, 4)


def selectors_context() -> Any:
    return RedemptionContext(at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_a_partners_last_codes_are_handed_out_once_under_a_rush() -> None:
    batch = partners_batch(9)
    answers = at_once([partial(claim, batch, member) for member in make_members(24)])
    assert sum(not isinstance(answer, Exception) for answer in answers) == 9
    assert {a.code for a in answers if isinstance(a, Refusal)} == {"coupons.batch_sold_out"}
    assert len(set(Coupon.objects.values_list("partner_code", flat=True))) == 9
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("partner", [False, True])
def test_two_jobs_for_the_same_people_in_opposite_order_end_as_one_after_the_other(partner: bool) -> None:
    members = make_members(24)
    batch = partners_batch(60) if partner else make_batch(60)
    first = partial(issue, batch, members, "first")
    second = partial(issue, batch, members[::-1], "second")
    answers = at_once([first, second, first, second])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    first(), second()  # whichever ended while the other still had a slice in hand
    assert sorted(Coupon.objects.values_list("member_id", flat=True)) == sorted(members * 2)
    check_counters(batch)


def one_by_one(batch: int, members: list[int], both_have_one: threading.Barrier) -> None:
    """What a slice of a partner's batch does, without its locks."""
    with transaction.atomic():
        for place, member in enumerate(members):
            claim(batch, member)
            if place == 0:
                both_have_one.wait(timeout=30)


@pytest.mark.django_db(transaction=True)
def test_two_slices_that_issue_one_by_one_do_not_wait_for_each_other(monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "SLICE", 500)
    here, there = make_members(150), make_members(150)
    batch = partners_batch(300)
    answers = at_once([partial(issue, batch, here), partial(issue, batch, there)])
    assert [(answer.state, answer.issued_count) for answer in answers] == [("done", 150)] * 2
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_without_the_order_of_locks_they_do() -> None:
    """Each holds one of sixteen counters and needs them all, so whichever way they go they end at each other's."""
    here, there = make_members(SHARDS), make_members(SHARDS)
    batch = partners_batch(SHARDS)
    meeting = threading.Barrier(2)
    answers = at_once([partial(one_by_one, batch, here, meeting), partial(one_by_one, batch, there, meeting)])
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "OperationalError"]
    assert Coupon.objects.filter(batch_id=batch).count() == SHARDS
    check_counters(batch)


def partners_batch(codes: int) -> int:
    batch = services.create_batch(
        template_id=make_template(),
        terms=BatchTerms(name="合作", quota=0, doors=("claim", "system"), member_limit=None),
        partner_name="咖啡店",
        actor=BOSS,
    ).id
    lines = [f"code-{number}" for number in range(codes)]
    services.import_partner_codes(batch_id=batch, lines=lines, actor=BOSS)
    services.open_batch(batch_id=batch, actor=BOSS)
    return batch
