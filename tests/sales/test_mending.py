"""What waits is put right where it lies: codes get a meaning, members are named, conflicts are decided."""

import dataclasses
import functools
from typing import Any

import pytest

from core.actor import Actor
from core.errors import Refusal
from guides import services as guide_services
from members import services as member_services
from sales import services
from sales.contracts import MemberKey
from sales.models import CodeAlias, DeskJob, HeldDocument, MemberAlias, Sale
from sales.selectors.desk import list_held_groups
from tests.cast import Cast, make_cast
from tests.sales.kit import TILL, assert_totals_agree, back, ledger, line, order, tell
from tests.threads import at_once

BOSS = Actor.staff(1, "总部")


def held(number: str = "O1") -> HeldDocument:
    return HeldDocument.objects.get(number=number)


def refused(call: Any) -> str:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value.code


def test_a_code_that_got_a_meaning_books_what_waits_and_what_comes_next(cast: Cast) -> None:
    tell(order("O1", store_code="S013"), order("O2", store_code="S013"))
    assert [(group.value, group.count) for group in list_held_groups()] == [("S013", 2)]
    services.explain_code(public_id=held().public_id, store_id=cast.store.id, actor=BOSS)
    job = services.start_retry(
        staff_id=cast.head_office.pk, terms={"reason": "sales.unknown_store", "value": "S013"}, actor=BOSS
    )
    assert services.work_desk_job(job_id=job.pk, actor=BOSS)
    job.refresh_from_db()
    assert (job.asked_count, job.result) == (2, {"booked": 2, "held": 0})
    assert {row.store_id for row in Sale.objects.all()} == {cast.store.id}
    assert [one.outcome for one in tell(order("O3", store_code="S013"))] == ["booked"]
    # Of another source the same code means nothing.
    assert [one.outcome for one in tell(order("O4", store_code="S013", source="erp"))] == ["held"]
    services.forget_alias(alias_id=CodeAlias.objects.get().pk, actor=BOSS)
    assert [one.outcome for one in tell(order("O5", store_code="S013"))] == ["held"]
    assert_totals_agree()


def test_a_forgotten_code_comes_back_unless_it_got_another_meaning(cast: Cast) -> None:
    tell(order("O1", store_code="S013"))
    alias = services.explain_code(public_id=held().public_id, store_id=cast.store.id, actor=BOSS)
    forget = functools.partial(services.forget_alias, alias_id=alias.pk, actor=BOSS)
    restore = functools.partial(services.restore_alias, alias_id=alias.pk, actor=BOSS)
    assert refused(restore) == "sales.no_such_alias"
    forget()
    assert refused(forget) == "sales.no_such_alias"
    restore()
    assert [one.outcome for one in tell(order("O2", store_code="S013"))] == ["booked"]
    forget()
    other = services.explain_code(public_id=held().public_id, store_id=cast.other_store.id, actor=BOSS)
    assert refused(restore) == "sales.alias_taken"
    tell(order("O3", store_code="S013"))
    assert Sale.objects.get(order_no="O3").store_id == other.store_id == cast.other_store.id


def test_a_guides_code_counts_for_her_and_a_real_number_goes_before_its_alias(cast: Cast) -> None:
    told = order("O1", serving_guide="LINA")
    tell(told)
    services.explain_code(public_id=held().public_id, guide_id=cast.wangfang.id, actor=BOSS)
    tell(told)
    assert held().state == "booked"
    assert ledger(metric="sales_fen", guide_id=cast.wangfang.id) == {"sales_fen": 10_000}
    guide_services.hire_guide(number="LINA", name="李娜二", store_id=cast.store.id, role="guide", actor=BOSS)
    tell(order("O2", serving_guide="LINA"))
    assert ledger(metric="sales_fen", guide_id=cast.wangfang.id) == {"sales_fen": 10_000}


def test_only_what_fits_is_mended(cast: Cast) -> None:
    tell(order("O1", store_code="S013"), order("O2"))
    row = held()
    explain = functools.partial(services.explain_code, public_id=row.public_id, actor=BOSS)
    assert refused(explain) == "sales.alias_unusable"
    assert refused(functools.partial(explain, store_id=10**9)) == "sales.alias_unusable"
    assert refused(functools.partial(explain, guide_id=cast.lina.id)) == "sales.alias_unusable"
    for verb in (services.accept_content, services.keep_booked):
        assert (
            refused(functools.partial(verb, public_id=row.public_id, actor=BOSS)) == "sales.nothing_to_mend"
        )
    name = functools.partial(services.name_member, member_id=cast.xiaomei.id, actor=BOSS)
    assert refused(functools.partial(name, public_id=row.public_id)) == "sales.nothing_to_mend"
    assert refused(functools.partial(name, public_id="nobody")) == "sales.no_such_document"
    restore = functools.partial(services.restore_document, public_id=row.public_id, actor=BOSS)
    assert refused(restore) == "sales.not_discarded"
    services.discard_document(public_id=row.public_id, reason="试单", actor=BOSS)
    assert refused(functools.partial(explain, store_id=cast.store.id)) == "sales.already_settled"
    restore()
    assert held().state == "waiting"
    assert held().note == ""


def test_a_member_that_was_named_is_remembered_and_follows_merges_and_erasure(cast: Cast) -> None:
    card = MemberKey("pos_card", "K778899")
    tell(order("O1", member=card), order("O2", member=card, source="erp"))
    row = HeldDocument.objects.get(number="O1")
    services.name_member(public_id=row.public_id, member_id=cast.xiaomei.id, actor=BOSS)
    tell(order("O3", member=card))
    assert set(Sale.objects.values_list("order_no", "member_id")) == {
        ("O1", cast.xiaomei.id), ("O3", cast.xiaomei.id),
    }  # fmt: skip
    assert HeldDocument.objects.waiting().count() == 1
    services.name_member(
        public_id=HeldDocument.objects.get(number="O2").public_id, member_id=None, actor=BOSS
    )
    assert Sale.objects.get(order_no="O2").member_id is None
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaoli.id, actor=BOSS
    )
    tell(order("O4", member=card))
    assert Sale.objects.get(order_no="O4").member_id == cast.xiaoli.id
    assert MemberAlias.objects.get(source="pos").member_id == cast.xiaoli.id


def test_naming_her_leaves_nothing_when_more_is_missing(cast: Cast) -> None:
    tell(order("O1", member=MemberKey("pos_card", "K1"), store_code="T01"))
    row = held()
    HeldDocument.objects.filter(pk=row.pk).update(reason="sales.unknown_member")
    # Her store was closed for good and its number given up meanwhile.
    from guides.models import Store

    Store.objects.filter(code="T01").update(code="T01X")
    name = functools.partial(
        services.name_member, public_id=row.public_id, member_id=cast.xiaomei.id, actor=BOSS
    )
    assert refused(name) == "sales.still_held"
    assert not MemberAlias.objects.exists()
    assert not Sale.objects.exists()


def test_a_conflict_is_decided_either_way(cast: Cast) -> None:
    tell(order("O1", line(amount_fen=10_000)))
    other = order("O1", line(amount_fen=8_000))
    assert tell(other)[0].outcome == "held"
    row = held()
    services.keep_booked(public_id=row.public_id, actor=BOSS)
    assert Sale.objects.current().get().amount_fen == 10_000
    services.restore_document(public_id=row.public_id, actor=BOSS)
    services.accept_content(public_id=row.public_id, actor=BOSS)
    assert Sale.objects.current().get().amount_fen == 8_000
    assert held().state == "booked"
    assert refused(functools.partial(services.accept_content, public_id=row.public_id, actor=BOSS)) == (
        "sales.already_settled"
    )
    # The till that sends either again is answered, not asked again.
    assert tell(order("O1", line(amount_fen=10_000)))[0].outcome == "superseded"
    assert ledger(metric="sales_fen") == {"sales_fen": 8_000}
    assert_totals_agree()


def test_a_content_below_what_came_back_is_not_accepted(cast: Cast) -> None:
    tell(order("O1"), back())
    tell(order("O1", line(amount_fen=8_000)))
    row = held()
    accept = functools.partial(services.accept_content, public_id=row.public_id, actor=BOSS)
    assert refused(accept) == "sales.still_held"
    assert HeldDocument.objects.count() == 1
    assert Sale.objects.current().get().amount_fen == 10_000


def test_a_return_with_another_content_can_only_be_kept(cast: Cast) -> None:
    given = back()
    tell(order("O1", line(amount_fen=10_000), line("B2", 5_000)), given)
    tell(dataclasses.replace(given, store_code="T02"))
    row = HeldDocument.objects.get(number="R1")
    accept = functools.partial(services.accept_content, public_id=row.public_id, actor=BOSS)
    assert refused(accept) == "sales.nothing_to_mend"
    services.keep_booked(public_id=row.public_id, actor=BOSS)


@pytest.mark.django_db(transaction=True)
def test_one_conflict_decided_twice_at_once_is_decided_once() -> None:
    make_cast()
    tell(order("O1", line(amount_fen=10_000)))
    tell(order("O1", line(amount_fen=8_000)))
    public_id = held().public_id
    told = at_once(
        [
            functools.partial(services.accept_content, public_id=public_id, actor=BOSS),
            functools.partial(services.keep_booked, public_id=public_id, actor=BOSS),
            functools.partial(services.accept_content, public_id=public_id, actor=BOSS),
        ]
    )
    assert sum(one is None for one in told) == 1
    assert all(one is None or isinstance(one, Refusal) for one in told)
    state = held().state
    assert Sale.objects.current().get().amount_fen == (8_000 if state == "booked" else 10_000)
    assert Sale.objects.count() == (2 if state == "booked" else 1)
    assert_totals_agree()


def test_a_job_goes_on_where_a_killed_worker_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sales.services.jobs._SLICE", 2)
    tell(*(order(f"O{n}", store_code="S9") for n in range(5)))
    services.explain_code(public_id=held("O0").public_id, store_id=cast.store.id, actor=BOSS)
    job = services.start_retry(staff_id=cast.head_office.pk, terms={}, actor=BOSS)
    assert not services.work_desk_job(job_id=job.pk, slices=1, actor=BOSS)
    assert DeskJob.objects.get().done_count == 2
    assert services.work_desk_jobs(actor=TILL) == 1
    job.refresh_from_db()
    assert (job.state, job.done_count, job.result) == ("done", 5, {"booked": 5, "held": 0})
    assert Sale.objects.count() == 5
    assert services.work_desk_jobs(actor=TILL) == 0
    with pytest.raises(Refusal):
        services.stop_desk_job(job_id=job.pk, actor=BOSS)
