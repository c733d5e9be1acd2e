"""Visitors of a mini-program, phones that were proved, profiles and rotating codes."""

import datetime as dt
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.errors import IdentityUnusable, MemberCodeUnusable, NoSuchMember, PhoneUnusable
from members.models import Member, MemberCodeToken, MemberIdentity, PointsSettings
from tests.threads import at_once

APP = "wxmini0000000001"
OFFICIAL = "wxofficial000001"
ACTOR = Actor.system("test")
NUMBER = "13800138000"


def visit(key: str = "a", unionid: str | None = None, scene: str = "") -> int:
    return services.register_mini_visitor(
        app_id=APP, openid=f"o-mini-{key}", unionid=unionid, scene=scene, actor=ACTOR
    ).id


def follow(key: str = "a", unionid: str | None = None) -> int:
    return services.register_follower(
        app_id=OFFICIAL, openid=f"o-official-{key}", unionid=unionid, actor=ACTOR
    ).id


def verify(member_id: int, phone: str = NUMBER) -> int:
    return services.verify_phone(member_id=member_id, phone=phone, how="sms", actor=ACTOR).id


# Visitors --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_unionid_is_the_same_member_whichever_door_came_first() -> None:
    assert follow("a", "u-a") == visit("a", "u-a")
    assert visit("b", "u-b") == follow("b", "u-b")
    assert Member.objects.count() == 2


@pytest.mark.django_db
def test_rows_of_both_doors_become_one_when_the_unionid_is_known() -> None:
    visitor, follower = visit("a"), follow("a", "u-a")
    assert visitor != follower
    survivor = visit("a", "u-a")
    assert survivor in {visitor, follower}
    assert Member.objects.living().count() == 1
    assert MemberIdentity.objects.filter(member_id=survivor).count() == 3


@pytest.mark.django_db
def test_a_new_visitor_keeps_the_code_she_came_through() -> None:
    member = Member.objects.get(pk=visit("a", scene="K7QX2M9TBNWC4A"))
    assert (member.source, member.source_scene, member.is_following) == (
        "mini_program",
        "K7QX2M9TBNWC4A",
        False,
    )
    visit("a", scene="ANOTHER")
    member.refresh_from_db()
    assert member.source_scene == "K7QX2M9TBNWC4A"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("openid", "unionid"), [("", None), ("有", None), ("o", ""), ("o" * 65, None), ("o", "\0")]
)
def test_identities_wechat_cannot_have_given_are_refused(openid: str, unionid: str | None) -> None:
    with pytest.raises(IdentityUnusable):
        services.register_mini_visitor(app_id=APP, openid=openid, unionid=unionid, actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_a_visit_and_a_follow_at_once_make_one_member() -> None:
    for n in range(5):
        answers = at_once([partial(door, f"r{n}", f"u-r{n}") for door in (visit, follow)] * 3)
        assert len(set(answers)) == 1, answers
    assert Member.objects.living().count() == 5


# Phones ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_proved_phone_makes_a_prospect_a_member_and_is_searchable() -> None:
    member_id = verify(visit())
    member = Member.objects.get(pk=member_id)
    assert (member.stage, member.phone, member.phone_tail) == ("member", NUMBER, "8000")
    assert selectors.find_member_id("phone", "", NUMBER) == member_id
    entry = AuditEntry.objects.get(action="members.phone_verified")
    assert (entry.details["how"], entry.details["has_joined"]) == ("sms", True)
    assert NUMBER not in str(entry.details)


@pytest.mark.django_db
def test_the_same_phone_again_changes_nothing() -> None:
    member_id = verify(visit())
    count = AuditEntry.objects.count()
    assert verify(member_id, "+86 138 0013 8000") == member_id
    assert AuditEntry.objects.count() == count


@pytest.mark.django_db
def test_the_owner_of_the_number_and_she_are_merged() -> None:
    till = services.register_member(name="王小美", phone=NUMBER, source="pos", actor=ACTOR)
    assert verify(visit("a", "u-a")) == till.id
    assert selectors.find_member_id("unionid", "", "u-a") == till.id


@pytest.mark.django_db
def test_a_merged_row_proves_for_the_one_she_lives_on_in() -> None:
    till = services.register_member(name="王小美", phone=NUMBER, source="pos", actor=ACTOR)
    visitor = visit()
    verify(visitor)
    assert verify(visitor, "13900139000") == till.id
    assert selectors.find_member_id("phone", "", NUMBER) is None


@pytest.mark.django_db
@pytest.mark.parametrize("phone", ["", "12345", "+15551234567", "138001380001"])
def test_what_is_no_mobile_number_of_china_is_refused(phone: str) -> None:
    with pytest.raises(PhoneUnusable):
        verify(visit(), phone)
    with pytest.raises(NoSuchMember):
        verify(10**15)


@pytest.mark.django_db(transaction=True)
def test_many_who_prove_one_number_at_once_are_one_member() -> None:
    for n in range(4):
        visitors = [visit(f"p{n}{k}") for k in range(5)]
        answers = at_once([partial(verify, visitor, f"1390000000{n}") for visitor in visitors])
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
        targets = set(selectors.list_merge_targets(visitors).values())
        assert len(targets) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_two_would_have_the_number() -> None:
    """The twin: both look, nobody has it, both insert. Only the unique identity stands in the way."""
    first, second = visit("t1"), visit("t2")
    index = selectors.phone_index(NUMBER)
    import threading

    both_looked = threading.Barrier(2)

    def look_then_insert(member_id: int) -> bool:
        with transaction.atomic():
            if MemberIdentity.objects.filter(kind="phone", value=index).exists():
                return False
            both_looked.wait(timeout=30)
            MemberIdentity.objects.create(
                member_id=member_id, kind="phone", value=index, linked_at=clock.now(), given_through=["pos"]
            )
        return True

    answers = at_once([lambda: look_then_insert(first), lambda: look_then_insert(second)])
    assert sorted(isinstance(answer, IntegrityError) for answer in answers) == [False, True]


# Profile ---------------------------------------------------------------------------------------------------


def complete(member_id: int) -> None:
    services.change_profile(
        member_id=member_id, name="小美", gender="female", birthday=dt.date(1995, 5, 20), actor=ACTOR
    )


@pytest.mark.django_db
def test_completeness_is_noted_once_whatever_comes_last() -> None:
    first = verify(visit("a"))
    complete(first)
    second = visit("b")
    complete(second)
    verify(second, "13900139000")
    at = dict(Member.objects.values_list("pk", "profile_completed_at"))
    assert all(at.values())
    services.change_profile(member_id=first, name="小美美", actor=ACTOR)
    assert Member.objects.get(pk=first).profile_completed_at == at[first]


@pytest.mark.django_db
def test_a_reward_that_was_missed_is_made_up_for_once() -> None:
    PointsSettings.objects.update_or_create(pk=1, defaults={"profile_reward": 50})
    member_id = verify(visit())
    complete(member_id)
    assert services.reward_profiles(actor=ACTOR) == 1
    assert services.reward_profiles(actor=ACTOR) == 0
    assert services.reward_profile(member_id=member_id, actor=ACTOR) == 0
    assert selectors.get_points_summary(member_id).balance == 50


@pytest.mark.django_db
def test_a_chain_that_rewards_nothing_gives_nothing() -> None:
    complete(verify(visit()))
    assert services.reward_profiles(actor=ACTOR) == 0


@pytest.mark.django_db
def test_merging_two_who_were_rewarded_gives_no_third_reward() -> None:
    PointsSettings.objects.update_or_create(pk=1, defaults={"profile_reward": 50})
    ids = [verify(visit("a")), verify(visit("b"), "13900139000")]
    for member_id in ids:
        complete(member_id)
        services.reward_profile(member_id=member_id, actor=ACTOR)
    survivor = services.merge_members(first_id=ids[0], second_id=ids[1], actor=ACTOR).id
    assert services.reward_profile(member_id=survivor, actor=ACTOR) == 0


# Rotating codes --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_rotating_code_ends_after_a_minute() -> None:
    code = services.issue_member_code(member_id=visit(), actor=ACTOR)
    late = code.expires_at
    with pytest.raises(MemberCodeUnusable):
        services.read_member_code(token=code.text, request_key="r1", actor=ACTOR, at=late)
    services.read_member_code(
        token=code.text, request_key="r1", actor=ACTOR, at=late - dt.timedelta(seconds=1)
    )


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "80", "8" * 20, "80" + "1" * 18, "80" + "x" * 18, "８０" + "1" * 18])
def test_a_made_up_code_is_refused(token: str) -> None:
    visit()
    with pytest.raises(MemberCodeUnusable):
        services.read_member_code(token=token, request_key="r1", actor=ACTOR)


@pytest.mark.django_db
def test_a_code_is_not_kept_in_clear_and_old_ones_are_forgotten() -> None:
    member_id = visit()
    code = services.issue_member_code(member_id=member_id, actor=ACTOR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM members_membercodetoken t")
        assert code.text not in str(cursor.fetchall())
    services.issue_member_code(member_id=member_id, actor=ACTOR, at=clock.now() + dt.timedelta(minutes=12))
    assert MemberCodeToken.objects.count() == 1


@pytest.mark.django_db
def test_a_code_shown_before_a_merge_names_the_one_she_lives_on_in() -> None:
    visitor = visit()
    code = services.issue_member_code(member_id=visitor, actor=ACTOR)
    till = services.register_member(name="王小美", phone=NUMBER, source="pos", actor=ACTOR)
    verify(visitor)
    assert services.read_member_code(token=code.text, request_key="r1", actor=ACTOR).id == till.id


@pytest.mark.django_db(transaction=True)
def test_of_many_tills_at_once_one_reads_the_code() -> None:
    code = services.issue_member_code(member_id=visit(), actor=ACTOR)
    answers = at_once(
        [
            partial(services.read_member_code, token=code.text, request_key=f"till-{n}", actor=ACTOR)
            for n in range(8)
        ]
    )
    assert sum(isinstance(answer, MemberCodeUnusable) for answer in answers) == 7


@pytest.mark.django_db
def test_codes_move_with_a_merge_and_back_and_are_erased() -> None:
    from members.services.holdings_codes import MemberCodeHoldings

    holding = MemberCodeHoldings()
    first, second = visit("a"), visit("b")
    services.issue_member_code(member_id=second, actor=ACTOR)
    at = clock.now()
    snapshot = holding.move(emptier_id=second, survivor_id=first, actor=ACTOR, at=at)
    assert MemberCodeToken.objects.get().member_id == first
    holding.restore(emptier_id=second, survivor_id=first, snapshot=snapshot, actor=ACTOR, at=at)
    assert MemberCodeToken.objects.get().member_id == second
    assert holding.erase(member_id=second, actor=ACTOR, at=at) == 1
