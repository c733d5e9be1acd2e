"""Merging while everything else goes on: nothing is lost, nobody waits for ever, latecomers come along."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from core.actor import Actor
from core.errors import Refusal
from members import handlers, services, tasks
from members.events import MemberMerged
from members.models import Member, MemberIdentity, MemberMerge, MemberTag, PointsAccount
from tests.cast import APP_ID, openid_of
from tests.members.merge_kit import DESK, customer, follower, identities_of, merge, row, undo
from tests.members.points_kit import balance_of, check_sums, credit, debit
from tests.stand_in.installed import stand_in  # noqa: F401
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 30


def _crashes(answers: list[Any]) -> list[Any]:
    """What is no answer and no refusal: a deadlock, a violated constraint."""
    return [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refusal)]


def _living(*member_ids: int) -> list[int]:
    return sorted(
        Member.objects.filter(pk__in=member_ids, merged_into__isnull=True).values_list("pk", flat=True)
    )


def test_merging_both_ways_at_once_merges_once() -> None:
    for turn in range(3):
        one, other = follower(f"a{turn}"), follower(f"b{turn}")
        calls = [
            partial(services.merge_members, first_id=first, second_id=second, survivor_id=first, actor=DESK)
            for first, second in ((one.id, other.id), (other.id, one.id)) * 2
        ]
        answers = at_once(calls)
        assert _crashes(answers) == []
        assert [isinstance(answer, Refusal) for answer in answers].count(False) == 1
        assert len(_living(one.id, other.id)) == 1
        assert MemberMerge.objects.filter(emptier__in=[one.id, other.id]).count() == 1


def test_two_merges_that_share_a_row_end_as_one_person() -> None:
    for turn in range(3):
        people = [follower(f"{key}{turn}").id for key in "abc"]
        answers = at_once(
            [
                partial(services.merge_members, first_id=first, second_id=second, actor=DESK)
                for first, second in ((people[0], people[1]), (people[1], people[2]), (people[2], people[0]))
            ]
        )
        assert _crashes(answers) == []
        living = _living(*people)
        assert len(living) == 1
        assert len(identities_of(living[0])) == 3


def test_a_merge_while_points_tags_and_phones_come_loses_nothing() -> None:
    group = services.create_tag_group(name="肤质", is_exclusive=True, actor=DESK)
    tags = [services.create_tag(group_id=group.id, name=name, actor=DESK).id for name in ("干性", "油性")]
    for turn in range(2):
        one, other = follower(f"a{turn}").id, follower(f"b{turn}").id
        for member in (one, other):
            credit(member, 100, f"start:{member}")
        answers = at_once(
            [
                partial(services.merge_members, first_id=one, second_id=other, actor=DESK),
                *[partial(debit, member, 7, f"o:{member}:{n}") for member in (one, other) for n in range(3)],
                *[partial(credit, member, 3, f"c:{member}:{n}") for member in (one, other) for n in range(3)],
                *[
                    partial(services.tag_members, member_ids=[one, other], tag_id=tag, actor=DESK)
                    for tag in tags
                ],
                partial(services.rename_member, member_id=other, name="小美", actor=DESK),
            ]
        )
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        (survivor,) = _living(one, other)
        assert balance_of(survivor) == 200 - 42 + 18
        assert MemberTag.objects.filter(member_id=survivor, removed_at__isnull=True).count() == 1
        assert not MemberTag.objects.filter(member_id__in={one, other} - {survivor}).exists()
        check_sums()


def test_undoing_while_points_are_spent_keeps_the_sums() -> None:
    for turn in range(3):
        one, other = follower(f"a{turn}").id, follower(f"b{turn}").id
        for member in (one, other):
            credit(member, 100, f"start:{member}")
        record = merge(one, other)
        answers = at_once(
            [
                partial(undo, record),
                partial(undo, record),
                *[partial(debit, member, 9, f"o:{member}:{n}") for member in (one, other) for n in range(4)],
            ]
        )
        assert _crashes(answers) == []
        assert _living(one, other) == [one, other]
        total = sum(PointsAccount.objects.filter(member__in=[one, other]).values_list("balance", flat=True))
        assert total == 200 - 72
        check_sums()


def test_a_unionid_and_a_merge_by_hand_at_once_are_one_merge() -> None:
    for turn in range(3):
        till = customer(f"1391234{turn:04}")
        services.merge_members(
            first_id=till.id,
            second_id=follower(f"u{turn}", unionid=f"union-{turn}").id,
            actor=DESK,
            how="phone",
        )
        fan = follower(f"f{turn}")
        answers = at_once(
            [
                partial(
                    services.identify_follower,
                    app_id=APP_ID,
                    openid=openid_of(f"f{turn}"),
                    unionid=f"union-{turn}",
                    actor=Actor.wechat(),
                ),
                partial(services.merge_members, first_id=fan.id, second_id=till.id, how="phone", actor=DESK),
            ]
        )
        assert _crashes(answers) == []
        assert (row(fan.id).merged_into_id, MemberMerge.objects.filter(emptier=fan.id).count()) == (
            till.id,
            1,
        )
        assert MemberIdentity.objects.filter(member_id=till.id).count() == 4


def _on_thread(work: Any) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _write_late(model: Any, member_id: int, written: threading.Event, go_on: threading.Event) -> None:
    """A transaction that locks no member: its row is there when it commits."""
    with transaction.atomic():
        model.objects.create(member_id=member_id, giver_id=member_id, word="晚到")
        written.set()
        assert go_on.wait(PATIENCE_S)


def test_what_was_written_before_the_merge_looked_and_committed_after_comes_along(
    stand_in: Any,  # noqa: F811
) -> None:
    one, other = follower("one").id, follower("other").id
    written, go_on = threading.Event(), threading.Event()
    thread = _on_thread(partial(_write_late, stand_in, other, written, go_on))
    assert written.wait(PATIENCE_S)
    record = merge(one, other)
    go_on.set()
    thread.join(PATIENCE_S)
    assert stand_in.objects.get().member_id == other  # the race: without the sweep it would stay there
    for _twice in range(2):
        handlers.on_member_merged(MemberMerged(other, one))
    assert (stand_in.objects.get().member_id, stand_in.objects.get().giver_id) == (one, one)
    assert tasks.sweep_latecomers() == 0
    undo(record)
    assert (stand_in.objects.get().member_id, stand_in.objects.get().giver_id) == (other, other)


def test_what_was_written_while_the_merge_was_at_work_comes_along(stand_in: Any) -> None:  # noqa: F811
    one, other = follower("one").id, follower("other").id
    go_on = threading.Event()
    go_on.set()
    with transaction.atomic():
        services.merge_members(first_id=one, second_id=other, actor=DESK)
        thread = _on_thread(partial(_write_late, stand_in, other, threading.Event(), go_on))
        thread.join(PATIENCE_S)
        assert not thread.is_alive()  # no insert waits for a merge
    assert stand_in.objects.get().member_id == other
    assert tasks.sweep_latecomers() == 1
    assert stand_in.objects.get().member_id == one
    assert tasks.sweep_latecomers() == 0


def test_a_latecomer_follows_a_chain(stand_in: Any) -> None:  # noqa: F811
    people = [follower(key).id for key in "abc"]
    merge(people[1], people[2])
    merge(people[0], people[1])
    stand_in.objects.create(member_id=people[2], word="晚到")
    assert tasks.sweep_latecomers() == 1
    assert tasks.sweep_latecomers() == 1
    assert stand_in.objects.get().member_id == people[0]


def test_what_belongs_to_a_merge_long_past_is_left_alone(stand_in: Any) -> None:  # noqa: F811
    one, other = follower("one").id, follower("other").id
    record = merge(one, other)
    undo(record)
    stand_in.objects.create(member_id=other, word="她的")
    handlers.on_member_merged(MemberMerged(other, one))
    assert not services.sweep_merge(merge_id=record.pk, actor=DESK)
    assert tasks.sweep_latecomers() == 0
    assert stand_in.objects.get().member_id == other
