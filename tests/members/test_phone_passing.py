"""A number that two WeChat accounts proved: one person within the days of rest, the number's next owner after them."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.models import Member, MemberIdentity, MemberMerge, PassedPhone, PrivacySettings
from tests.members.merge_kit import DESK, undo
from tests.threads import at_once

pytestmark = pytest.mark.django_db

APP = "wxmini0000000001"
OFFICIAL = "wxofficial000001"
PHONE = "13800138000"
ACTOR = Actor.system("test")
REST = 90


def visit(key: str, *, app_id: str = APP, unionid: str | None = None) -> int:
    return services.register_mini_visitor(
        app_id=app_id, openid=f"o-mini-{key}", unionid=unionid, actor=ACTOR
    ).id


def prove(member_id: int, *, days_ago: float = 0, number: str = PHONE) -> int:
    at = clock.now() - dt.timedelta(days=days_ago)
    return services.verify_phone(member_id=member_id, phone=number, how="sms", actor=ACTOR, at=at).id


def owner() -> int | None:
    return selectors.find_member_id("phone", "", PHONE)


def former(*, days_ago: float = REST + 1, points: int = 500) -> int:
    """Somebody with points who proved the number so long ago, and has a WeChat account in the mini-program."""
    she = prove(visit("former", unionid="u-former"), days_ago=days_ago)
    services.credit_points(member_id=she, points=points, source_key="sale:1", actor=ACTOR)
    return she


def pairs() -> list[set[int]]:
    return [{pair.first.id, pair.second.id} for pair in selectors.list_passed_phones(Member.objects.living())]


def test_the_next_owner_of_a_number_does_not_become_her_former_owner() -> None:
    old, new = former(), visit("new", unionid="u-new")
    assert prove(new) == new
    assert owner() == new
    before, after = Member.objects.get(pk=old), Member.objects.get(pk=new)
    assert (before.stage, before.phone, before.phone_tail) == ("member", "", "")
    assert (after.stage, after.phone) == ("member", PHONE)
    assert selectors.get_points_summary(old).balance == 500
    assert selectors.get_points_summary(new).balance == 0
    assert not MemberMerge.objects.exists()
    # She keeps her account: the mini-program knows her still.
    assert selectors.find_member_id("mini_openid", APP, "o-mini-former") == old


def test_both_sides_are_audited_without_the_number_and_the_desk_is_asked() -> None:
    old, new = former(), visit("new")
    prove(new)
    lost = AuditEntry.objects.get(action="members.phone_passed_on")
    got = AuditEntry.objects.get(action="members.phone_taken_over")
    assert (lost.subject_id, lost.details) == (old, {"to_member_id": new})
    assert (got.subject_id, got.details) == (new, {"from_member_id": old})
    assert pairs() == [{old, new}]


@pytest.mark.parametrize("days_ago", [0, 1, REST - 0.01])
def test_within_the_days_of_rest_two_accounts_are_one_person(days_ago: float) -> None:
    old = former(days_ago=days_ago)
    assert prove(visit("new")) == old
    assert selectors.get_points_summary(old).balance == 500
    assert not PassedPhone.objects.exists()


def test_proving_it_again_keeps_it_fresh() -> None:
    old = former(days_ago=400)
    prove(old, days_ago=10)
    assert prove(visit("new")) == old


def test_the_days_are_the_chains_to_decide() -> None:
    PrivacySettings.objects.update_or_create(pk=1, defaults={"phone_rest_days": 400})
    old = former(days_ago=399)
    assert prove(visit("new")) == old
    PrivacySettings.objects.filter(pk=1).update(phone_rest_days=0)
    another = visit("another")
    assert prove(another) == another


@pytest.mark.parametrize("how", ["till", "another app", "follower"])
def test_who_has_no_account_of_the_same_app_is_linked_however_long_ago(how: str) -> None:
    """A till's customer who opens the mini-program years later is why numbers link at all."""
    long_ago = clock.now() - dt.timedelta(days=2_000)
    if how == "till":
        old = services.register_member(name="王小美", phone=PHONE, source="pos", actor=ACTOR, at=long_ago).id
    elif how == "another app":
        old = prove(visit("former", app_id="wxmini0000000002"), days_ago=2_000)
    else:
        old = services.register_follower(app_id=OFFICIAL, openid="o-official-a", actor=ACTOR, at=long_ago).id
        MemberIdentity.objects.create(
            member_id=old, kind="phone", value=selectors.phone_index(PHONE), linked_at=long_ago,
            given_through=["pos"],
        )  # fmt: skip
    prove(visit("new"))
    assert selectors.list_merge_targets([old])[old] == owner()
    assert MemberMerge.objects.live().count() == 1


def test_two_unionids_are_two_accounts_whatever_the_app() -> None:
    old = prove(visit("former", app_id="wxmini0000000002", unionid="u-former"), days_ago=REST + 1)
    new = visit("new", unionid="u-new")
    assert prove(new) == new
    assert (owner(), Member.objects.get(pk=old).phone) == (new, "")


def test_a_number_that_passed_is_never_a_reason_to_merge_those_two() -> None:
    """WeChat's quick check is not made anew each time: the former owner may still "prove" the number."""
    old, new = former(), visit("new")
    prove(new)
    assert prove(old) == old
    assert (owner(), Member.objects.living().count()) == (old, 2)


def test_whom_staff_parted_no_number_joins_again() -> None:
    old = former(days_ago=1)
    new = visit("new")
    prove(new)
    undo(MemberMerge.objects.get())
    assert prove(new) == new
    assert (owner(), Member.objects.get(pk=old).phone) == (new, "")


def test_the_desk_merges_who_is_one_person_after_all_or_tells_them_apart() -> None:
    old, new = former(), visit("new")
    prove(new)
    she = services.merge_members(first_id=old, second_id=new, actor=DESK).id
    assert (pairs(), owner()) == ([], she)
    assert selectors.get_points_summary(she).balance == 500
    undo(MemberMerge.objects.get())
    assert pairs() == []  # parted again: they were told apart by it


def test_another_number_of_the_former_owner_stays_hers() -> None:
    old = former()
    other = "13900139000"
    services.merge_members(
        first_id=old,
        second_id=services.register_member(name="王小美", phone=other, source="pos", actor=ACTOR).id,
        actor=DESK,
        survivor_id=old,
        choices={"phone": old},
    )
    prove(visit("new"))
    assert selectors.find_member_id("phone", "", other) == old
    assert Member.objects.get(pk=old).phone == ""


def test_only_what_an_account_of_staff_may_see_is_shown_at_the_desk() -> None:
    old, new = former(), visit("new")
    prove(new)
    assert selectors.list_passed_phones(Member.objects.filter(pk=old)) == ()


def test_it_is_exported_and_erased() -> None:
    old, new = former(), visit("new")
    prove(new)
    assert "手机号换了主人" in str(services.export_member(member_id=old, actor=DESK))
    services.erase_member(member_id=new, reason="staff", actor=DESK)
    assert not PassedPhone.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_devices_that_join_with_one_phone_at_the_same_moment_are_one_member() -> None:
    for n in range(4):
        number = f"1390000000{n}"
        visitors = [visit(f"v{n}{k}", unionid=f"u{n}{k}") for k in range(4)]
        answers = at_once([partial(_prove_now, visitor, number) for visitor in visitors])
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
        assert len(set(selectors.list_merge_targets(visitors).values())) == 1
    assert not PassedPhone.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_who_prove_a_rested_number_at_once_leave_one_owner_and_the_former_alone() -> None:
    old = former()
    visitors = [visit(f"n{k}") for k in range(4)]
    answers = at_once([partial(_prove_now, visitor, PHONE) for visitor in visitors])
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    # The first takes the number over; the others prove it at the same moment as she does, and are her.
    assert len(set(selectors.list_merge_targets(visitors).values())) == 1
    assert owner() != old
    assert selectors.list_merge_targets([old])[old] == old
    assert selectors.get_points_summary(old).balance == 500


def _prove_now(member_id: int, number: str) -> Any:
    return services.verify_phone(member_id=member_id, phone=number, how="wechat", actor=ACTOR).id
