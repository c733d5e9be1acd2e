"""Two rows of one person: what a preview says, what merging does, what undoing gives back."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actor import Actor
from core.constraints import violated
from core.models import AuditEntry
from members import selectors, services
from members.models import KnownApart, Member, MemberAddress, MemberIdentity, MemberMerge, MemberTag
from members.services.holdings import all_holdings
from tests.cast import APP_ID, openid_of
from tests.members.merge_kit import (
    DESK,
    code_of,
    columns,
    customer,
    days_ago,
    follower,
    identities_of,
    merge,
    row,
    undo,
)

pytestmark = pytest.mark.django_db
PHONE, OTHER_PHONE = "13912345678", "13812345678"


def test_a_preview_says_who_lives_on_and_whose_values_survive_and_changes_nothing() -> None:
    till = customer(PHONE, name="林小美", at=days_ago(5))
    fan = follower("xiaomei", name="小美", at=days_ago(40))
    services.credit_points(member_id=till.id, points=30, source_key="a", actor=DESK)
    services.credit_points(member_id=fan.id, points=12, source_key="b", actor=DESK)
    before = columns(till.id), columns(fan.id)
    seen = services.preview_merge(first_id=fan.id, second_id=till.id)
    assert (seen.survivor.id, seen.emptier.id) == (till.id, fan.id)
    assert seen.survivor_reason
    winners = {line.field: line.winner_id for line in seen.fields}
    assert winners == {
        "stage": till.id, "name": till.id, "phone": till.id, "gender": till.id, "birthday": till.id,
        "source": fan.id, "following": fan.id, "completed": till.id,
    }  # fmt: skip
    assert [line.field for line in seen.fields if line.may_choose] == ["name"]
    points = next(part for part in seen.parts if part.title == "积分").lines[0]
    assert (points.survivor, points.emptier, points.outcome) == ("30", "12", "42")
    assert (columns(till.id), columns(fan.id)) == before
    assert not MemberMerge.objects.exists()
    for line in seen.fields:
        assert PHONE not in f"{line.survivor}{line.emptier}"


def test_the_merge_does_what_the_preview_said() -> None:
    till = customer(PHONE, at=days_ago(5), birthday=dt.date(1990, 5, 1))
    fan = follower("xiaomei", name="小美", at=days_ago(40), scene="G1")
    record = merge(fan.id, till.id, how="phone", reason="同一个人")
    mine = row(till.id)
    assert (mine.stage, mine.name, mine.phone, mine.is_following) == ("member", "林小美", PHONE, True)
    assert (mine.source, mine.source_scene) == ("scan", "G1")
    assert mine.registered_at == row(fan.id).registered_at
    assert row(fan.id).merged_into_id == till.id
    assert (record.survivor_id, record.emptier_id, record.how, record.reason) == (
        till.id, fan.id, "phone", "同一个人",
    )  # fmt: skip
    assert record.undo_until - record.made_at == dt.timedelta(days=30)
    assert ("openid", openid_of("xiaomei")) in identities_of(till.id)


@pytest.mark.parametrize(
    ("stages", "names", "winner"),
    [
        (("member", "prospect"), ("林小美", "小美"), 0),
        (("prospect", "member"), ("小美", "林小美"), 1),
        (("prospect", "prospect"), ("先来", "后来"), 1),
        (("prospect", "prospect"), ("先来", ""), 0),
        (("prospect", "prospect"), ("", "后来"), 1),
    ],
)
def test_the_name_of_a_member_goes_before_a_prospects_then_the_later_one(
    stages: tuple[str, str], names: tuple[str, str], winner: int
) -> None:
    made = [
        customer(f"139{place}2345678", name=name, at=days_ago(9 - place))
        if stage == "member"
        else follower(f"f{place}", name=name, at=days_ago(9 - place))
        for place, (stage, name) in enumerate(zip(stages, names, strict=True))
    ]
    survivor = services.merge_members(first_id=made[0].id, second_id=made[1].id, actor=DESK)
    assert survivor.display_name == names[winner]


def test_staff_choose_who_lives_on_and_which_values_survive() -> None:
    till = customer(PHONE, name="林小美", birthday=dt.date(1990, 5, 1))
    other = customer(OTHER_PHONE, name="林美", birthday=dt.date(1991, 5, 1))
    choices = {"name": other.id, "phone": other.id, "birthday": till.id}
    record = merge(till.id, other.id, survivor_id=till.id, choices=choices)
    mine = row(till.id)
    assert (mine.name, mine.phone, mine.phone_tail, mine.birthday) == (
        "林美", OTHER_PHONE, OTHER_PHONE[-4:], dt.date(1990, 5, 1),
    )  # fmt: skip
    assert {kind for kind, _value in identities_of(till.id)} == {"phone"}
    assert len(identities_of(till.id)) == 2
    assert selectors.find_member_id("phone", "", PHONE) == till.id
    undo(record)
    assert (row(till.id).name, row(till.id).phone) == ("林小美", PHONE)
    assert selectors.find_member_id("phone", "", OTHER_PHONE) == other.id
    merge(till.id, other.id, survivor_id=other.id)
    assert row(till.id).merged_into_id == other.id


def test_a_chosen_name_is_found_by_searching() -> None:
    till, fan = customer(PHONE, name="林小美"), follower("fan", name="张大伟")
    merge(till.id, fan.id, choices={"name": fan.id})
    assert list(selectors.search_member_ids("大伟")) == [till.id]
    assert list(selectors.search_member_ids("小美")) == []


def test_choices_that_name_nobody_or_a_fact_are_refused() -> None:
    till, fan, third = customer(PHONE), follower("fan"), follower("third")
    both = {"first_id": till.id, "second_id": fan.id}
    for service in (services.preview_merge, services.merge_members):
        actor = {} if service is services.preview_merge else {"actor": DESK}
        for wrong in (
            {"survivor_id": third.id},
            {"survivor_id": 999_999},
            {"choices": {"name": third.id}},
            {"choices": {"source": till.id}},
            {"choices": {"public_id": till.id}},
        ):
            assert code_of(service, **both, **wrong, **actor) == "members.merge_choice_unusable"
        assert (
            code_of(service, first_id=till.id, second_id=till.id, **actor)
            == "members.cannot_merge_with_herself"
        )
        assert code_of(service, first_id=till.id, second_id=999_999, **actor) == "members.no_such_member"
    assert not MemberMerge.objects.exists()


def test_an_old_id_of_a_merged_row_stands_for_her_and_herself_is_refused() -> None:
    till, fan = customer(PHONE), follower("fan")
    merge(till.id, fan.id)
    again = {"first_id": till.id, "second_id": fan.id, "actor": DESK}
    assert code_of(services.merge_members, **again) == "members.cannot_merge_with_herself"
    third = follower("third", name="小美")
    record = merge(fan.id, third.id, choices={"name": third.id})
    assert (record.survivor_id, record.emptier_id) == (till.id, third.id)


def test_undoing_gives_back_both_rows_as_they_were() -> None:
    till = customer(PHONE, at=days_ago(5))
    fan = follower("xiaomei", name="小美", at=days_ago(40), unionid="u-1")
    before = columns(till.id), columns(fan.id)
    held = identities_of(till.id), identities_of(fan.id)
    record = merge(fan.id, till.id)
    parted = undo(record, reason="不是同一个人")
    assert parted.id == fan.id
    assert (columns(till.id), columns(fan.id)) == before
    assert (identities_of(till.id), identities_of(fan.id)) == held
    record.refresh_from_db()
    assert (record.undone_by, record.undo_reason, record.snapshot) == ("后台 desk", "不是同一个人", "")


def test_undoing_twice_is_undoing_once() -> None:
    till, fan = customer(PHONE), follower("fan")
    record = merge(till.id, fan.id)
    undo(record)
    services.rename_member(member_id=fan.id, name="小丽", actor=DESK)
    assert undo(record).display_name == "小丽"
    assert AuditEntry.objects.filter(action="members.unmerged").count() == 1


def test_what_was_changed_since_stays_with_the_survivor() -> None:
    till = customer(PHONE, name="林小美")
    fan = follower("fan", name="小美")
    record = merge(till.id, fan.id, choices={"name": fan.id})
    services.rename_member(member_id=till.id, name="林小美美", actor=DESK)
    linked = MemberIdentity.objects.create(
        member_id=till.id, kind="pos_card", value="C1", linked_at=clock.now()
    )
    undo(record)
    assert (row(till.id).name, row(fan.id).name) == ("林小美美", "小美")
    linked.refresh_from_db()
    assert linked.member_id == till.id


def test_following_since_the_merge_goes_with_the_openid() -> None:
    till, fan = customer(PHONE), follower("fan", at=days_ago(3))
    record = merge(till.id, fan.id)
    services.note_unfollow(app_id=APP_ID, openid=openid_of("fan"), actor=Actor.wechat())
    undo(record)
    assert (row(fan.id).is_following, row(till.id).is_following) == (False, False)
    assert row(till.id).follow_changed_at is None


def test_a_phone_that_was_given_up_since_does_not_come_back() -> None:
    till, other = customer(PHONE), customer(OTHER_PHONE)
    record = merge(till.id, other.id, survivor_id=till.id)
    MemberIdentity.objects.filter(member_id=till.id, value=selectors.phone_index(OTHER_PHONE)).delete()
    undo(record)
    assert (row(other.id).phone, row(other.id).phone_tail, row(other.id).stage) == ("", "", "member")
    assert row(till.id).phone == PHONE


def test_a_prospect_who_joined_meanwhile_stays_a_member() -> None:
    fan, till = follower("fan", at=days_ago(3)), customer(PHONE)
    record = merge(fan.id, till.id, survivor_id=fan.id)
    MemberIdentity.objects.create(
        member_id=fan.id,
        kind="phone",
        value=selectors.phone_index(OTHER_PHONE),
        linked_at=clock.now(),
        given_through=["pos"],
    )
    undo(record)
    assert (row(fan.id).stage, row(till.id).stage) == ("member", "member")


def test_a_prospect_who_only_lent_her_row_is_a_prospect_again() -> None:
    fan, till = follower("fan", at=days_ago(3)), customer(PHONE)
    undo(merge(fan.id, till.id, survivor_id=fan.id))
    assert (row(fan.id).stage, row(fan.id).phone, row(till.id).phone) == ("prospect", "", PHONE)


def test_after_thirty_days_a_merge_stands() -> None:
    till, fan = customer(PHONE), follower("fan")
    record = merge(till.id, fan.id, at=days_ago(40))
    late = record.made_at + dt.timedelta(days=30)
    assert code_of(undo, record=record, at=late) == "members.merge_too_old"
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        MemberMerge.objects.filter(pk=record.pk).update(undone_at=late)
    assert violated(caught.value) == "membermerge_undone_in_time"
    assert undo(record, at=late - dt.timedelta(seconds=1)).id == fan.id


def test_of_a_chain_the_last_link_is_undone_first() -> None:
    first, second, third = (follower(key, at=days_ago(9 - place)) for place, key in enumerate("abc"))
    early = merge(second.id, third.id)
    late = merge(first.id, second.id)
    assert (early.survivor_id, late.survivor_id) == (second.id, first.id)
    found = selectors.find_member_card(third.public_id)
    assert found is not None
    assert found.id == first.id
    assert set(selectors.person_row_ids(first.id)) == {first.id, second.id, third.id}
    assert code_of(undo, record=early) == "members.merged_further"
    undo(late)
    found = selectors.find_member_card(third.public_id)
    assert found is not None
    assert found.id == second.id
    undo(early)
    assert [row(card.id).merged_into_id for card in (first, second, third)] == [None, None, None]
    assert [len(identities_of(card.id)) for card in (first, second, third)] == [1, 1, 1]


def test_of_two_merges_into_one_row_the_later_is_undone_first() -> None:
    first, second, third = (follower(key, at=days_ago(9 - place)) for place, key in enumerate("abc"))
    early, late = merge(first.id, second.id), merge(first.id, third.id)
    assert code_of(undo, record=early) == "members.merged_further"
    undo(late)
    assert undo(early).id == second.id


def test_an_unknown_merge_is_not_found_and_a_row_is_emptied_once() -> None:
    assert code_of(services.undo_merge, merge_id=9, actor=DESK) == "members.no_such_merge"
    till, fan = customer(PHONE), follower("fan")
    record = merge(till.id, fan.id)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        MemberMerge.objects.create(
            emptier_id=fan.id, survivor_id=till.id, how="desk", made_at=clock.now(), undo_until=clock.now()
        )
    assert violated(caught.value) == "membermerge_one_live_per_emptier"
    undo(record)
    assert merge(till.id, fan.id).pk != record.pk


def test_nothing_comes_back_of_an_erased_member() -> None:
    till, fan = customer(PHONE), follower("fan", name="小美")
    record = merge(till.id, fan.id, reason="她说的")
    for part in all_holdings():
        part.erase(member_id=till.id, actor=DESK, at=clock.now())
    record.refresh_from_db()
    assert (record.snapshot, record.reason, row(fan.id).name) == ("", "", "")
    assert identities_of(till.id) == identities_of(fan.id) == set()
    assert code_of(undo, record=record) == "members.merge_forgotten"


def test_the_snapshot_is_sealed_and_the_audit_holds_nothing_personal() -> None:
    till, fan = customer(PHONE), follower("fan", name="小美")
    record = merge(till.id, fan.id, reason="小美说的")
    with connection.cursor() as cursor:
        cursor.execute("SELECT snapshot FROM members_membermerge WHERE id = %s", [record.pk])
        raw = cursor.fetchone()[0]
    assert PHONE in record.snapshot
    assert PHONE not in raw
    assert "小美" not in raw
    undo(record, reason="小美不是她")
    told = json.dumps(list(AuditEntry.objects.values_list("details", flat=True)), ensure_ascii=False)
    assert PHONE not in told
    assert "小美" not in told


def _tag(name: str, *, group: str) -> int:
    made = services.create_tag_group(name=group, actor=DESK)
    return services.create_tag(group_id=made.id, name=name, actor=DESK).id


def _live_tags(member_id: int) -> set[str]:
    rows = MemberTag.objects.live(clock.now()).filter(member_id=member_id)
    return set(rows.values_list("tag__name", flat=True))


def test_tags_come_along_and_go_back() -> None:
    till, fan = customer(PHONE), follower("fan")
    group = services.create_tag_group(name="肤质", is_exclusive=True, actor=DESK)
    dry, oily = (
        services.create_tag(group_id=group.id, name=name, actor=DESK).id for name in ("干性", "油性")
    )
    plain = _tag("话少", group="习惯")
    until = clock.now() + dt.timedelta(days=3)
    services.tag_members(member_ids=[till.id], tag_id=dry, actor=DESK, at=days_ago(3))
    services.tag_members(member_ids=[fan.id], tag_id=oily, actor=DESK, at=days_ago(1))
    services.tag_members(member_ids=[till.id], tag_id=plain, expires_at=until, actor=DESK)
    services.tag_members(member_ids=[fan.id], tag_id=plain, actor=DESK)
    seen = services.preview_merge(first_id=till.id, second_id=fan.id)
    line = next(part for part in seen.parts if part.title == "标签").lines[0]
    record = merge(till.id, fan.id)
    assert _live_tags(till.id) == {"油性", "话少"} == set(line.outcome.split("、"))
    assert MemberTag.objects.live(until).filter(member_id=till.id, tag_id=plain).exists()
    undo(record)
    assert (_live_tags(till.id), _live_tags(fan.id)) == ({"干性", "话少"}, {"油性", "话少"})
    assert not MemberTag.objects.live(until).filter(member_id=till.id, tag_id=plain).exists()


def test_a_tag_given_since_is_not_undone() -> None:
    till, fan = customer(PHONE), follower("fan")
    group = services.create_tag_group(name="肤质", is_exclusive=True, actor=DESK)
    dry, oily, mixed = (
        services.create_tag(group_id=group.id, name=name, actor=DESK).id for name in ("干性", "油性", "混合")
    )
    services.tag_members(member_ids=[till.id], tag_id=dry, actor=DESK, at=days_ago(3))
    services.tag_members(member_ids=[fan.id], tag_id=oily, actor=DESK, at=days_ago(1))
    record = merge(till.id, fan.id)
    services.tag_members(member_ids=[till.id], tag_id=mixed, actor=DESK)
    undo(record)
    assert (_live_tags(till.id), _live_tags(fan.id)) == ({"混合"}, set())


def _address(member_id: int, city: str, days: int) -> None:
    MemberAddress.objects.create(
        member_id=member_id, province="上海市", city=city, street=f"{city}路 1 号", changed_at=days_ago(days)
    )


def _city(member_id: int) -> str:
    return str(MemberAddress.objects.filter(member_id=member_id).values_list("city", flat=True).first() or "")


@pytest.mark.parametrize(
    ("hers", "theirs", "survives"),
    [(None, 2, "theirs"), (5, 2, "theirs"), (1, 2, "hers"), (3, None, "hers")],
)
def test_the_address_given_last_survives_and_goes_back(
    hers: int | None, theirs: int | None, survives: str
) -> None:
    till, fan = customer(PHONE), follower("fan")
    for member_id, city, days in ((till.id, "hers", hers), (fan.id, "theirs", theirs)):
        if days is not None:
            _address(member_id, city, days)
    seen = services.preview_merge(first_id=till.id, second_id=fan.id)
    assert survives in next(part for part in seen.parts if part.title == "地址").lines[0].outcome
    record = merge(till.id, fan.id)
    assert _city(till.id) == survives
    assert not services.sweep_merge(merge_id=record.pk, actor=DESK)
    assert services.sweep_latecomers(actor=DESK) == 0
    undo(record)
    assert (_city(till.id), _city(fan.id)) == ("hers" if hers else "", "theirs" if theirs else "")


def test_an_identity_is_taken_from_her_with_a_reason() -> None:
    till = customer(PHONE)
    other = follower("other")
    identity = MemberIdentity.objects.get(member_id=till.id)
    one: dict[str, Any] = {"member_id": till.id, "identity_id": identity.pk, "actor": DESK}
    assert code_of(services.unlink_identity, **one, reason="because") == "members.reason_missing"
    assert (
        code_of(services.unlink_identity, **{**one, "member_id": other.id}, reason="mistyped")
        == "members.no_such_identity"
        == code_of(services.unlink_identity, **{**one, "identity_id": 999_999}, reason="mistyped")
    )
    card = services.unlink_identity(**one, reason="mistyped")
    assert (card.masked_phone, card.stage, row(till.id).phone_tail) == ("", "member", "")
    assert customer(PHONE).id != till.id
    entry = AuditEntry.objects.get(action="members.identity_unlinked")
    assert entry.details == {"kind": "phone", "reason": "mistyped"}


def test_unlinking_one_of_two_phones_leaves_the_other_in_her_row() -> None:
    till, other = customer(PHONE), customer(OTHER_PHONE)
    merge(till.id, other.id, survivor_id=till.id)
    identity = MemberIdentity.objects.get(value=selectors.phone_index(OTHER_PHONE))
    services.unlink_identity(member_id=till.id, identity_id=identity.pk, reason="passed_on", actor=DESK)
    assert row(till.id).phone == PHONE


def test_pairs_that_look_like_one_person_are_proposed_until_somebody_says_otherwise() -> None:
    one = customer(PHONE, name="林小美", at=days_ago(3))
    same_tail = customer(OTHER_PHONE, name="林小美", at=days_ago(2))
    customer("13700005678", name="王大伟")
    birthday = dt.date(1990, 5, 1)
    born = customer("13700000001", name="赵丽", birthday=birthday)
    born_too = customer("13700000002", name="赵丽", birthday=birthday)
    customer("13700000003", name="赵莉莉", birthday=birthday)
    pairs = {
        (pair.first.id, pair.second.id) for pair in selectors.list_possible_duplicates(Member.objects.all())
    }
    assert pairs == {(one.id, same_tail.id), (born.id, born_too.id)}
    assert services.keep_apart(first_id=born_too.id, second_id=born.id, actor=DESK)
    assert not services.keep_apart(first_id=born.id, second_id=born_too.id, actor=DESK)
    merge(one.id, same_tail.id)
    assert selectors.list_possible_duplicates(Member.objects.all()) == ()
    assert code_of(services.keep_apart, first_id=one.id, second_id=one.id, actor=DESK)


def test_who_was_parted_is_not_proposed_again() -> None:
    one, other = customer(PHONE), customer(OTHER_PHONE)
    undo(merge(one.id, other.id))
    assert KnownApart.objects.filter(first_id=one.id, second_id=other.id).exists()
    assert selectors.list_possible_duplicates(Member.objects.all()) == ()


def test_a_merge_and_its_undoing_cost_a_bounded_number_of_statements() -> None:
    till, fan = customer(PHONE), follower("fan", name="小美")
    for member in (till, fan):
        for number in range(20):
            services.credit_points(member_id=member.id, points=3, source_key=f"k{number}", actor=DESK)
    with CaptureQueriesContext(connection) as merging:
        record = merge(till.id, fan.id)
    with CaptureQueriesContext(connection) as undoing:
        undo(record)
    assert len(merging) <= 108
    assert len(undoing) <= 60
