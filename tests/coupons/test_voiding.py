"""A whole batch is made void by a job: frozen when it begins, resumed where it was killed, each coupon counted once."""

from functools import partial

import pytest

from core.actor import Actor
from core.models import AuditEntry
from coupons import errors, selectors, services
from coupons.contracts import RedemptionCard
from coupons.models import Coupon, CouponBatch, CouponEvent, VoidJob, VoidSlice
from tests.coupons.kit import BOSS, check_counters, claim, make_batch, make_members, make_shop, order
from tests.killed_job import killed_while_waiting
from tests.threads import at_once

RUN = "from coupons import services; services.run_void_job(job_id={job})"


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coupons.services.voiding.SLICE", 2)


def redeem(code: str, shop: int) -> RedemptionCard:
    return services.redeem_coupon(code=code, order=order(shop), request_id=f"r-{code}", actor=BOSS)


def begin(batch: int, key: str = "k") -> int:
    return services.start_void_job(batch_id=batch, reason="活动取消", key=key, actor=BOSS).job_id


@pytest.mark.django_db
def test_a_batch_is_voided_in_the_name_of_who_asked_and_told_once() -> None:
    batch, shop = make_batch(), make_shop()
    issued = [claim(batch, member) for member in make_members(5)]
    redeem(issued[0].code, shop)
    job = begin(batch)
    late = claim(batch, make_members(1)[0])
    assert VoidSlice.objects.filter(job_id=job).count() == 2
    done = services.run_void_job(job_id=job)
    assert (done.asked_count, done.coupon_count, done.percent) == (4, 4, 100)
    assert services.run_void_job(job_id=job) == done
    assert Coupon.objects.get(pk=late.id).state == "issued"
    assert Coupon.objects.get(pk=issued[0].id).state == "redeemed"
    events = CouponEvent.objects.filter(what="voided")
    assert {(event.actor, event.reason) for event in events} == {(BOSS.label or BOSS.kind, "活动取消")}
    entry = AuditEntry.objects.get(action="coupons.batch_voided")
    assert (entry.subject_id, entry.details, entry.actor_kind) == (batch, {"coupon_count": 4}, BOSS.kind)
    check_counters(batch)


@pytest.mark.django_db
def test_the_same_key_is_one_job_and_another_batch_is_refused() -> None:
    batch, other = make_batch(), make_batch()
    claim(batch, make_members(1)[0])
    assert begin(batch) == begin(batch)
    with pytest.raises(errors.RequestReused):
        begin(other)
    with pytest.raises(errors.NoSuchBatch):
        begin(987_654)
    with pytest.raises(errors.ReasonMissing):
        services.start_void_job(batch_id=batch, reason=" ", key="x", actor=BOSS)
    assert VoidJob.objects.count() == 1


@pytest.mark.django_db
def test_a_batch_with_nothing_unused_is_done_at_once() -> None:
    done = services.void_coupons(batch_id=make_batch(), reason="活动取消", actor=BOSS)
    assert (done.coupon_count, done.percent, done.finished_at is not None) == (0, 100, True)
    assert not AuditEntry.objects.filter(action="coupons.batch_voided").exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_its_slice_leaves_whole_slices_and_the_next_run_does_the_rest() -> None:
    batch = make_batch()
    issued = [claim(batch, member) for member in make_members(6)]
    job = begin(batch)
    with killed_while_waiting(
        RUN.format(job=job),
        lock="SELECT 1 FROM coupons_coupon WHERE id = %(id)s FOR NO KEY UPDATE",
        values={"id": issued[3].id},
    ):
        states = dict(Coupon.objects.values_list("pk", "state"))
        assert [states[one.id] for one in issued] == ["voided"] * 2 + ["issued"] * 4
        assert VoidJob.objects.get(pk=job).finished_at is None
        assert services.resume_void_jobs() == 1
    assert services.resume_void_jobs() == 0
    assert Coupon.objects.filter(state="voided").count() == 6
    assert CouponEvent.objects.filter(what="voided").count() == 6
    assert AuditEntry.objects.get(action="coupons.batch_voided").details == {"coupon_count": 6}
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_a_voiding_beside_tills_and_claims() -> None:
    shop, batch = make_shop(), make_batch(40, budget_fen=40 * 3_000)
    members = make_members(24)
    codes = [claim(batch, member).code for member in members[:16]]
    job = begin(batch)
    at_once(
        [
            *(partial(services.run_void_job, job_id=job) for _ in range(3)),
            *(partial(redeem, code, shop) for code in codes[::3]),
            *(partial(claim, batch, member) for member in members[16:]),
        ]
    )
    done = services.run_void_job(job_id=job)
    used = Coupon.objects.filter(state="redeemed").count()
    assert done.coupon_count == 16 - used
    assert Coupon.objects.filter(state="issued").count() == 8
    assert AuditEntry.objects.filter(action="coupons.batch_voided").count() == 1
    assert CouponBatch.objects.get(pk=batch).quota == 40
    check_counters(batch)


def choose(ids: list[int], key: str = "k") -> int:
    chosen = Coupon.objects.filter(pk__in=ids)
    return services.start_chosen_void_job(chosen=chosen, reason="发错了", key=key, actor=BOSS).job_id


@pytest.mark.django_db
def test_chosen_coupons_of_several_batches_are_voided_and_told_for_each() -> None:
    first, second, shop = make_batch(), make_batch(), make_shop()
    hers = [claim(batch, member) for batch in (first, second) for member in make_members(3)]
    redeem(hers[0].code, shop)
    spared = claim(first, make_members(1)[0])
    job = choose([one.id for one in hers])
    assert choose([spared.id]) == job
    done = services.run_void_job(job_id=job)
    assert (done.batch_id, done.asked_count, done.coupon_count, done.percent) == (None, 5, 5, 100)
    assert [
        (row.batch_id, row.asked_count, row.coupon_count) for row in selectors.list_voided_batches(job)
    ] == [
        (second, 3, 3),
        (first, 2, 2),
    ]
    assert Coupon.objects.get(pk=spared.id).state == "issued"
    told = AuditEntry.objects.filter(action="coupons.chosen_voided").order_by("subject_id")
    assert [(entry.subject_id, entry.details) for entry in told] == [
        (first, {"coupon_count": 2}),
        (second, {"coupon_count": 3}),
    ]
    assert AuditEntry.objects.get(action="coupons.chosen_void_started").details["coupon_count"] == 5
    for batch in (first, second):
        check_counters(batch)


@pytest.mark.django_db
def test_a_key_of_another_voiding_or_of_somebody_else_is_refused() -> None:
    batch = make_batch()
    kept = claim(batch, make_members(1)[0])
    begin(make_batch(), "whole")
    with pytest.raises(errors.RequestReused):
        choose([kept.id], "whole")
    choose([], "mine")
    with pytest.raises(errors.RequestReused):
        services.start_void_job(batch_id=batch, reason="x", key="mine", actor=BOSS)
    other = Actor.staff(987, "别人")
    with pytest.raises(errors.RequestReused):
        services.start_chosen_void_job(chosen=Coupon.objects.all(), reason="x", key="mine", actor=other)
    with pytest.raises(errors.ReasonMissing):
        services.start_chosen_void_job(chosen=Coupon.objects.all(), reason=" ", key="x", actor=BOSS)
    assert Coupon.objects.get(pk=kept.id).state == "issued"


@pytest.mark.django_db(transaction=True)
def test_twenty_who_send_one_choice_begin_one_voiding() -> None:
    batch = make_batch()
    ids = [claim(batch, member).id for member in make_members(4)]
    jobs = at_once([partial(choose, ids) for _ in range(20)])
    assert len(set(jobs)) == VoidJob.objects.count() == 1
    assert VoidSlice.objects.count() == 2
    assert services.resume_void_jobs() == 1
    assert CouponEvent.objects.filter(what="voided").count() == 4
