"""Erasing: found nowhere afterwards, once, whatever happens beside it, and she may come back."""

import datetime as dt
import functools
import json
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from guides.models import Binding
from members import selectors, services
from members.contracts import MemberImport
from members.errors import (
    DataRequestClosed,
    ErasureReasonUnknown,
    NoSuchDataRequest,
    NoSuchMember,
    StillCoolingOff,
)
from members.models import (
    ConsentEntry,
    DataRequest,
    Member,
    MemberIdentity,
    PhoneReveal,
    PointsAccount,
    PointsEntry,
    PrivacySettings,
)
from tests.cast import DIRECTOR, Cast, make_follower
from tests.members import privacy_kit as kit
from tests.threads import at_once
from wechat.models import Follower, InboundEvent, OutboundMessage

STAFF = Actor.staff(1, "总部")


def erase(member_id: int, **values: Any) -> Any:
    asked: dict[str, Any] = {"member_id": member_id, "reason": "own_wish", "actor": STAFF}
    return services.erase_member(**asked | values)


@pytest.mark.django_db
def test_nothing_planted_is_found_in_any_table_after_erasing(cast: Cast) -> None:
    member_id = kit.plant(cast)
    before = kit.traces()
    found = {line.partition(": ")[2] for line in before}
    assert {*kit.PLANTED} <= found  # the search finds what is there

    erased = erase(member_id)

    assert kit.traces() == []
    assert erased.is_new
    assert {label for label, count in erased.counts.items() if count} >= {
        "gateway", "points", "tags", "bindings", "notes", "identities", "profile", "privacy",
    }  # fmt: skip


@pytest.mark.django_db
def test_what_stays_are_books_without_a_person(cast: Cast) -> None:
    member_id = kit.plant(cast)
    erase(member_id)
    row = Member.objects.get(pk=member_id)
    card = selectors.get_member_card(member_id)
    assert (row.stage, card.display_name, card.masked_phone) == ("erased", "已注销会员", "")
    assert set(Member.objects.filter(merged_into=row).values_list("stage", flat=True)) == {"erased"}
    account = PointsAccount.objects.get(member_id=member_id)
    assert (account.balance, account.frozen) == (0, 0)
    entries = PointsEntry.objects.filter(account=account)
    assert sum(entries.values_list("delta", flat=True)) == 0
    assert entries.last().source_key.startswith("forfeit@")  # type: ignore[union-attr]
    assert not Binding.objects.live().filter(member_id=member_id).exists()
    assert Binding.objects.exists()
    assert ConsentEntry.objects.filter(member_id=member_id).exists()
    assert PhoneReveal.objects.get(member_id=member_id).reason == "other"
    assert not Follower.objects.filter(unionid=kit.UNIONID).exists()
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed", "ignored"}
    assert set(OutboundMessage.objects.values_list("state", flat=True)) == {"dropped"}


@pytest.mark.django_db
def test_the_audit_proves_it_by_counts_and_codes_alone(cast: Cast) -> None:
    member_id = kit.plant(cast)
    erase(member_id, reason="staff")
    entry = AuditEntry.objects.get(action="members.erased")
    assert (entry.subject_id, entry.details["reason"], entry.details["row_count"]) == (member_id, "staff", 2)
    assert any(line.startswith("gateway:") for line in entry.details["counts"])
    told = json.dumps(list(AuditEntry.objects.values_list("details", "actor_label")), ensure_ascii=False)
    assert not [word for word in kit.PLANTED if word in told]


@pytest.mark.django_db
def test_erasing_twice_changes_nothing_the_second_time(cast: Cast) -> None:
    member_id = kit.plant(cast)
    erase(member_id)
    before = kit.dump()
    again = erase(member_id)
    assert (again.is_new, again.counts) == (False, {})
    assert kit.dump() == before


@pytest.mark.django_db
def test_erasing_the_merged_row_erases_the_person(cast: Cast) -> None:
    member_id = kit.plant(cast)
    [merged] = Member.objects.filter(merged_into_id=member_id)
    assert erase(merged.pk).member_id == member_id
    assert kit.traces() == []


@pytest.mark.django_db
def test_every_rule_meets_an_erased_member_as_an_unknown_one(cast: Cast) -> None:
    member_id = kit.plant(cast)
    old = selectors.get_member_card(member_id)
    erase(member_id)
    refused = [
        lambda: services.credit_points(member_id=member_id, points=1, source_key="s", actor=STAFF),
        lambda: services.rename_member(member_id=member_id, name="小美", actor=STAFF),
        lambda: services.reveal_phone(member_id=member_id, reason="visit", actor=STAFF),
        lambda: services.export_member(member_id, actor=STAFF),
        lambda: services.request_erasure(member_id=member_id, actor=STAFF),
        lambda: services.agree_consent(
            member_id=member_id, kind="privacy", version=1, door="staff", actor=STAFF
        ),
        lambda: services.merge_members(first_id=member_id, second_id=cast.xiaomei.id, actor=STAFF),
    ]
    for rule in refused:
        with pytest.raises(NoSuchMember):
            rule()
    assert selectors.find_member_card(old.public_id) is None
    assert not selectors.search_member_ids(old.code).exists()
    assert member_id not in selectors.living_member_ids()


@pytest.mark.django_db
def test_she_may_join_again_as_somebody_new(cast: Cast) -> None:
    member_id = kit.plant(cast)
    erase(member_id)
    back = services.register_member(name=kit.NAME, phone=kit.PHONE, source="pos", actor=DIRECTOR)
    follower = make_follower(kit.NAME, kit.OPENID)
    assert member_id not in (back.id, follower.id)


@pytest.mark.django_db
def test_an_unknown_member_and_an_unknown_reason_are_refused(cast: Cast) -> None:
    with pytest.raises(NoSuchMember):
        erase(999_999)
    with pytest.raises(ErasureReasonUnknown):
        erase(cast.xiaomei.id, reason="bored")
    with pytest.raises(ErasureReasonUnknown):
        services.request_erasure(member_id=cast.xiaomei.id, reason="bored", actor=STAFF)


# Races ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_erasing_while_the_row_is_merged_leaves_no_trace(cast: Cast) -> None:
    one = services.register_member(name=kit.NAME, phone=kit.PHONE, source="pos", actor=DIRECTOR)
    for round_number in range(4):
        other = make_follower("小雪", f"oround{round_number}_0000000000000000000x"[:28])
        merge = functools.partial(services.merge_members, first_id=one.id, second_id=other.id, actor=STAFF)
        at_once([merge, functools.partial(erase, other.id)])
        gone = Member.objects.get(pk=other.id)
        living = Member.objects.get(pk=one.id)
        # Either she was merged first and the whole person went, or she went first and the merge was refused.
        if living.stage == "erased":
            assert gone.stage == "erased"
            assert kit.PHONE not in repr(kit.dump())
            assert not MemberIdentity.objects.filter(member_id__in=[one.id, other.id]).exists()
            return
        assert (gone.stage, gone.merged_into_id) == ("erased", None)


@pytest.mark.django_db(transaction=True)
def test_many_erasures_of_one_member_at_once_are_one(cast: Cast) -> None:
    answers = at_once([lambda: erase(cast.xiaomei.id)] * 8)
    assert sorted(answer.is_new for answer in answers) == [False] * 7 + [True]
    assert AuditEntry.objects.filter(action="members.erased").count() == 1


# Requests ---------------------------------------------------------------------------------------------------


def ask(cast: Cast, at: dt.datetime) -> Any:
    member = Actor.member(cast.xiaomei.id)
    return services.request_erasure(member_id=cast.xiaomei.id, actor=member, at=at)


@pytest.mark.django_db
def test_her_own_wish_waits_for_the_cooling_off_period(cast: Cast) -> None:
    now = clock.now()
    request = ask(cast, now)
    assert ask(cast, now).id == request.id
    assert request.not_before == now + dt.timedelta(days=7)
    assert request.due_on == clock.business_day(now) + dt.timedelta(days=15)
    with pytest.raises(StillCoolingOff):
        services.fulfil_erasure(request_id=request.id, actor=STAFF, at=now + dt.timedelta(days=6))
    assert services.erase_ripe_members(actor=STAFF, at=now + dt.timedelta(days=6)) == 0
    assert services.erase_ripe_members(actor=STAFF, at=now + dt.timedelta(days=7)) == 1
    assert services.erase_ripe_members(actor=STAFF, at=now + dt.timedelta(days=8)) == 0
    done = DataRequest.objects.get()
    assert (done.state, Member.objects.get(pk=cast.xiaomei.id).stage) == ("done", "erased")
    assert done.result["profile"] == 1
    again = services.fulfil_erasure(request_id=request.id, actor=STAFF)
    assert not again.is_new


@pytest.mark.django_db
def test_she_may_think_better_of_it(cast: Cast) -> None:
    now = clock.now()
    request = ask(cast, now)
    for _twice in range(2):
        card = services.withdraw_data_request(request_id=request.id, actor=Actor.member(cast.xiaomei.id))
        assert card.state == "withdrawn"
    assert services.erase_ripe_members(actor=STAFF, at=now + dt.timedelta(days=30)) == 0
    with pytest.raises(DataRequestClosed):
        services.fulfil_erasure(request_id=request.id, actor=STAFF, at=now + dt.timedelta(days=30))
    assert ask(cast, now).id != request.id


@pytest.mark.django_db
def test_what_staff_enter_waits_for_a_person_and_not_for_days(cast: Cast) -> None:
    request = services.request_erasure(member_id=cast.xiaomei.id, actor=STAFF)
    assert services.erase_ripe_members(actor=STAFF, at=clock.now() + dt.timedelta(days=99)) == 0
    services.fulfil_erasure(request_id=request.id, actor=STAFF)
    assert Member.objects.get(pk=cast.xiaomei.id).stage == "erased"
    with pytest.raises(DataRequestClosed):
        services.withdraw_data_request(request_id=request.id, actor=STAFF)


@pytest.mark.django_db
def test_requests_of_others_and_of_nobody_look_the_same(cast: Cast) -> None:
    request = ask(cast, clock.now())
    assert selectors.access_data_request(member_id=cast.xiaomei.id, public_id=request.public_id) == request
    for member_id, public_id in ((cast.xiaoli.id, request.public_id), (cast.xiaomei.id, "NOSUCH")):
        with pytest.raises(NoSuchDataRequest):
            selectors.access_data_request(member_id=member_id, public_id=public_id)
    for call in (services.fulfil_erasure, services.fulfil_export, services.withdraw_data_request):
        with pytest.raises(NoSuchDataRequest):
            call(request_id=999_999, actor=STAFF)
    with pytest.raises(NoSuchDataRequest):
        services.fulfil_export(request_id=request.id, actor=STAFF)


@pytest.mark.django_db(transaction=True)
def test_taking_it_back_and_carrying_it_out_at_once_is_one_of_the_two(cast: Cast) -> None:
    now = clock.now()
    request = ask(cast, now - dt.timedelta(days=8))
    answers = at_once(
        [
            lambda: services.withdraw_data_request(request_id=request.id, actor=STAFF),
            lambda: services.fulfil_erasure(request_id=request.id, actor=STAFF),
        ]
    )
    state = DataRequest.objects.get().state
    stage = Member.objects.get(pk=cast.xiaomei.id).stage
    assert (state, stage) in (("withdrawn", "prospect"), ("done", "erased"))
    assert sum(isinstance(answer, DataRequestClosed) for answer in answers) == 1


# Unfollowing ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_prospects_who_unfollowed_go_after_the_days_and_members_stay(cast: Cast) -> None:
    now = clock.now()
    services.register_member(name="小雅", phone="13800138000", source="pos", actor=DIRECTOR)
    services.note_unfollow(app_id=cast.app_id, openid=cast.xiaoli_openid, actor=Actor.wechat(), at=now)
    assert services.erase_unfollowed(actor=STAFF, at=now + dt.timedelta(days=29)) == 0
    assert services.erase_unfollowed(actor=STAFF, at=now + dt.timedelta(days=30)) == 1
    assert services.erase_unfollowed(actor=STAFF, at=now + dt.timedelta(days=31)) == 0
    assert Member.objects.get(pk=cast.xiaoli.id).stage == "erased"
    assert Member.objects.filter(stage="erased").count() == 1
    assert AuditEntry.objects.get(action="members.erased").details["reason"] == "unfollowed"


@pytest.mark.django_db
def test_an_imported_prospect_whom_nobody_saw_unfollow_stays(cast: Cast) -> None:
    now = clock.now()
    line = MemberImport(
        registered_at=now - dt.timedelta(days=900), source="import", openid="oimported_000000000000000001"
    )
    services.import_members(lines=[line], app_id=cast.app_id, actor=DIRECTOR)
    assert services.erase_unfollowed(actor=STAFF, at=now) == 0


@pytest.mark.django_db
def test_a_chain_may_keep_them(cast: Cast) -> None:
    PrivacySettings.objects.create(pk=1, unfollow_keep_days=None)
    now = clock.now()
    services.note_unfollow(app_id=cast.app_id, openid=cast.xiaoli_openid, actor=Actor.wechat(), at=now)
    assert services.erase_unfollowed(actor=STAFF, at=now + dt.timedelta(days=999)) == 0
