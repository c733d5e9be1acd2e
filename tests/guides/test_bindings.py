"""Exclusive bindings: one live guide per member, whatever happens at once."""

import datetime as dt
import threading
from functools import partial

import pytest
from django.db import IntegrityError

from core import clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound, Refusal
from core.models import AuditEntry
from guides import selectors, services
from guides.models import Binding
from members import services as member_services
from tests.cast import Cast, make_follower, make_guide, openid_of
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")

pytestmark = pytest.mark.django_db


def test_a_bound_member_is_not_bound_again_unless_to_the_same_guide(cast: Cast) -> None:
    with pytest.raises(Refusal) as refusal:
        services.bind_member(member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="scan", actor=STAFF)
    assert refusal.value.code == "guides.member_already_bound"
    same = services.bind_member(member_id=cast.xiaomei.id, guide_id=cast.lina.id, source="scan", actor=STAFF)
    assert same.id == Binding.objects.get(member_id=cast.xiaomei.id).pk


def test_rebinding_ends_the_old_row_and_keeps_the_history(cast: Cast) -> None:
    new = services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.chenjing.id, source="member", reason="会员要求", actor=STAFF
    )
    newest, oldest = selectors.list_binding_history(cast.xiaomei.id)
    assert (newest.guide_name, newest.store_name, newest.ended_at) == ("陈静", "天河路店", None)
    assert (oldest.guide_name, oldest.end_reason, oldest.ended_at) == ("李娜", "会员要求", new.bound_at)
    live = selectors.find_live_binding(cast.xiaomei.id)
    assert live == newest
    assert AuditEntry.objects.filter(action="guides.member_unbound").count() == 1


def test_unbinding_leaves_nobody_and_refuses_the_unbound(cast: Cast) -> None:
    ended = services.unbind_member(member_id=cast.xiaomei.id, reason="会员要求", actor=STAFF)
    assert ended.ended_at is not None
    assert selectors.find_live_binding(cast.xiaomei.id) is None
    with pytest.raises(Refusal) as refusal:
        services.unbind_member(member_id=cast.xiaomei.id, reason="", actor=STAFF)
    assert refusal.value.code == "guides.member_not_bound"


def test_a_request_told_with_an_older_clock_never_ends_before_the_beginning(cast: Cast) -> None:
    old = clock.now() - dt.timedelta(days=3)
    services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="staff", reason="", actor=STAFF, at=old
    )
    first, second = Binding.objects.order_by("pk")
    assert first.bound_at == first.ended_at == second.bound_at


def test_the_same_request_key_gets_the_first_answer_and_another_request_none(cast: Cast) -> None:
    asked = {"member_id": cast.xiaoli.id, "source": "scan", "actor": STAFF, "request_key": "k1"}
    first = services.bind_member(guide_id=cast.lina.id, **asked)  # type: ignore[arg-type]
    services.rebind_member(
        member_id=cast.xiaoli.id, guide_id=cast.wangfang.id, source="member", reason="", actor=STAFF
    )
    assert services.bind_member(guide_id=cast.lina.id, **asked).id == first.id  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refusal:
        services.bind_member(guide_id=cast.chenjing.id, **asked)  # type: ignore[arg-type]
    assert refusal.value.code == "guides.request_key_reused"


def test_members_and_guides_that_do_not_exist_are_refused(cast: Cast) -> None:
    for member_id, guide_id, code in (
        (0, cast.lina.id, "members.no_such_member"),
        (cast.xiaoli.id, 0, "guides.no_such_guide"),
    ):
        with pytest.raises(NotFound) as refusal:
            services.bind_member(member_id=member_id, guide_id=guide_id, source="scan", actor=STAFF)
        assert refusal.value.code == code


@pytest.mark.django_db(transaction=True)
def test_fifty_guides_binding_one_member_at_once_make_one_live_binding(cast: Cast) -> None:
    guides = [make_guide(f"R{number}", f"导购{number}", cast.store.id).id for number in range(50)]
    answers = at_once(
        [
            partial(
                services.bind_member, member_id=cast.xiaoli.id, guide_id=guide_id, source="scan", actor=STAFF
            )
            for guide_id in guides
        ]
    )
    refusals = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refusals) == 49
    assert {getattr(refusal, "code", refusal) for refusal in refusals} == {"guides.member_already_bound"}
    assert Binding.objects.filter(member_id=cast.xiaoli.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_guides_pass_the_check_and_the_database_refuses_one(cast: Cast) -> None:
    checked = threading.Barrier(4)

    def check_then_insert(guide_id: int) -> None:
        is_free = not Binding.objects.live().filter(member_id=cast.xiaoli.id).exists()
        checked.wait(timeout=30)
        if is_free:
            Binding.objects.create(
                member_id=cast.xiaoli.id,
                guide_id=guide_id,
                store_id=cast.store.id,
                bound_at=clock.now(),
                source="scan",
            )

    guide_ids = [cast.lina.id, cast.wangfang.id, cast.zhaoqiang.id, cast.chenjing.id]
    answers = at_once([partial(check_then_insert, guide_id) for guide_id in guide_ids])
    refused = [answer for answer in answers if isinstance(answer, IntegrityError)]
    assert (len(refused), answers.count(None)) == (3, 1)
    assert {violated(error) for error in refused} == {"binding_one_live_per_member"}
    assert Binding.objects.live().filter(member_id=cast.xiaoli.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_rebinding_and_unbinding_at_once_leave_at_most_one_guide(cast: Cast) -> None:
    guides = [cast.wangfang.id, cast.zhaoqiang.id, cast.chenjing.id, cast.lina.id]
    answers = at_once(
        [
            partial(
                services.rebind_member,
                member_id=cast.xiaomei.id,
                guide_id=guide_id,
                source="staff",
                reason="",
                actor=STAFF,
            )
            for guide_id in guides * 3
        ]
        + [lambda: services.unbind_member(member_id=cast.xiaomei.id, reason="", actor=STAFF)] * 2
    )
    unexpected = [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refusal)]
    assert not unexpected
    assert Binding.objects.live().filter(member_id=cast.xiaomei.id).count() <= 1


@pytest.mark.django_db(transaction=True)
def test_a_member_merged_while_being_bound_has_one_guide_afterwards(cast: Cast) -> None:
    twin = make_follower("小丽", openid_of("xiaoli2"))
    answers = at_once(
        [
            lambda: member_services.merge_members(first_id=cast.xiaoli.id, second_id=twin.id, actor=STAFF),
            lambda: services.bind_member(
                member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="scan", actor=STAFF
            ),
            lambda: services.bind_member(
                member_id=twin.id, guide_id=cast.wangfang.id, source="scan", actor=STAFF
            ),
        ]
    )
    assert not [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refusal)]
    live = Binding.objects.live().filter(member_id__in=[cast.xiaoli.id, twin.id])
    assert live.count() == 1
    assert live.get().member_id == cast.xiaoli.id


def _bound_pair(cast: Cast, first: int, second: int, leaver: int | None = None) -> int:
    """小丽 bound to `first` two days ago, her other row to `second` yesterday, merged after `leaver` has left;
    the other row's id."""
    now = clock.now()
    twin = make_follower("小丽", openid_of("xiaoli2"))
    for member_id, guide_id, days in ((cast.xiaoli.id, first, 2), (twin.id, second, 1)):
        services.bind_member(
            member_id=member_id,
            guide_id=guide_id,
            source="scan",
            actor=STAFF,
            at=now - dt.timedelta(days=days),
        )
    if leaver is not None:
        services.leave_guide(guide_id=leaver, actor=STAFF)
    member_services.merge_members(first_id=cast.xiaoli.id, second_id=twin.id, actor=STAFF)
    return twin.id


def test_of_two_rows_bindings_the_older_survives(cast: Cast) -> None:
    twin_id = _bound_pair(cast, cast.lina.id, cast.wangfang.id)
    live = Binding.objects.live().get(member_id__in=[cast.xiaoli.id, twin_id])
    assert (live.member_id, live.guide_id) == (cast.xiaoli.id, cast.lina.id)


def test_the_merged_rows_older_binding_moves_over(cast: Cast) -> None:
    now = clock.now()
    twin = make_follower("小丽", openid_of("xiaoli2"))
    services.bind_member(
        member_id=twin.id,
        guide_id=cast.wangfang.id,
        source="scan",
        actor=STAFF,
        at=now - dt.timedelta(days=5),
    )
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="scan", actor=STAFF)
    member_services.merge_members(first_id=cast.xiaoli.id, second_id=twin.id, actor=STAFF)
    live = Binding.objects.live().get(member_id__in=[cast.xiaoli.id, twin.id])
    assert (live.member_id, live.guide_id, live.source) == (cast.xiaoli.id, cast.wangfang.id, "merge")


def test_a_guide_who_has_left_loses_the_merged_member(cast: Cast) -> None:
    twin_id = _bound_pair(cast, cast.lina.id, cast.wangfang.id, leaver=cast.lina.id)
    live = Binding.objects.live().get(member_id__in=[cast.xiaoli.id, twin_id])
    assert live.guide_id == cast.wangfang.id
