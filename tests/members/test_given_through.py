"""What she withdraws inside WeChat goes if it was given there, and stays if the shop was given it: whatever was merged."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.actor import Actor
from core.constraints import violated
from core.models import AuditEntry
from members import selectors, services
from members.models import Member, MemberAddress, MemberIdentity
from tests.members.import_kit import HEADINGS, person, phone, take_over
from tests.members.merge_kit import DESK, merge, undo

pytestmark = pytest.mark.django_db

APP = "wxmini0000000001"
PHONE = "13800138000"
OTHER = "13900139000"
WECHAT = Actor.wechat()
LONG_AGO = dt.timedelta(days=400)


def visit(key: str = "a", *, at: dt.datetime | None = None) -> int:
    return services.register_mini_visitor(app_id=APP, openid=f"o-mini-{key}", actor=WECHAT, at=at).id


def prove(member_id: int, number: str = PHONE) -> int:
    return services.verify_phone(member_id=member_id, phone=number, how="wechat", actor=WECHAT).id


def till(number: str = PHONE, **values: Any) -> int:
    return services.register_member(name="王小美", phone=number, source="pos", actor=DESK, **values).id


def revoke(key: str = "a", codes: str = "8", *, is_cancellation: bool = False) -> None:
    services.forget_authorization(
        app_id=APP, openid=f"o-mini-{key}", revoke_info=codes, is_cancellation=is_cancellation, actor=WECHAT
    )


def places(number: str = PHONE) -> list[str] | None:
    """Where the number was given; None while it is nobody's."""
    row = MemberIdentity.objects.filter(kind="phone", value__in=selectors.phone_indexes(number)).first()
    return None if row is None else row.given_through


def numbers() -> set[str]:
    return {row.phone for row in Member.objects.all() if row.phone}


def forgotten() -> list[str]:
    entry = AuditEntry.objects.filter(action="members.authorization_forgotten").order_by("pk").last()
    assert entry is not None
    return list(entry.details["forgotten"])


def test_a_phone_given_in_the_mini_program_goes() -> None:
    prove(visit())
    assert places() == ["mini_program"]
    revoke()
    assert (places(), numbers(), forgotten()) == (None, set(), ["phone"])


def test_a_phone_given_at_a_till_stays_though_the_older_row_came_through_wechat() -> None:
    she = visit(at=clock.now() - LONG_AGO)
    survivor = merge(she, till()).survivor
    assert survivor.source == "mini_program"
    revoke()
    assert (places(), numbers(), forgotten()) == (["pos"], {PHONE}, [])


def test_a_phone_given_in_the_mini_program_goes_though_the_older_row_joined_at_a_till() -> None:
    older = till(at=clock.now() - LONG_AGO)
    joined = prove(visit(), OTHER)
    survivor = merge(older, joined).survivor
    assert survivor.source == "pos"
    revoke()
    assert (places(), places(OTHER)) == (["pos"], None)
    assert numbers() == {PHONE}
    # She has the number she gave to the shop; a guide may call it.
    assert Member.objects.get(pk=survivor.pk).phone == PHONE


def test_a_phone_given_in_both_places_stays_and_forgets_that_wechat_had_it() -> None:
    till()
    she = prove(visit())
    assert places() == ["pos", "mini_program"]
    revoke()
    assert (places(), numbers()) == (["pos"], {PHONE})
    assert MemberIdentity.objects.get(kind="phone").proved_at is None
    assert selectors.find_member_id("phone", "", PHONE) == she


def test_a_number_that_was_given_up_is_forgotten_with_the_one_that_came_after() -> None:
    till()
    she = prove(visit())
    prove(she, OTHER)
    assert (places(), places(OTHER)) == (None, ["mini_program"])
    revoke()
    assert (places(OTHER), numbers()) == (None, set())


def test_undoing_a_merge_parts_the_phones_with_where_they_were_given() -> None:
    she = visit(at=clock.now() - LONG_AGO)
    record = merge(she, till())
    undo(record)
    assert places() == ["pos"]
    prove(she, OTHER)
    revoke()
    assert (places(), places(OTHER), numbers()) == (["pos"], None, {PHONE})


def test_undoing_does_not_bring_back_what_was_withdrawn_meanwhile() -> None:
    """Both had a number, she chose to be shown the other's; what the merge remembers of hers is withdrawn as well."""
    mine = prove(visit())
    services.change_profile(member_id=mine, name="小美", actor=Actor.member(mine))
    services.change_address(
        member_id=mine, province="上海市", city="", district="静安区", street="一号", actor=WECHAT
    )
    other = till(OTHER)
    record = merge(mine, other, survivor_id=mine, choices={"phone": other, "name": other})
    assert PHONE in record.snapshot
    revoke(codes="")
    assert sorted(forgotten()) == ["address", "phone"]
    record.refresh_from_db()
    kept = json.loads(record.snapshot)
    assert PHONE not in record.snapshot
    assert (kept["before"]["survivor"]["name"], kept["before"]["emptier"]["phone"]) == ("", OTHER)
    undo(record)
    row, parted = Member.objects.get(pk=mine), Member.objects.get(pk=other)
    assert (row.name, row.phone, row.phone_tail) == ("", "", "")
    assert (parted.name, parted.phone) == ("王小美", OTHER)
    assert not MemberAddress.objects.exists()


def test_an_imported_phone_stays() -> None:
    take_over([person(1)])
    prove(visit(), phone(1))
    assert places(phone(1)) == ["import", "mini_program"]
    revoke()
    assert places(phone(1)) == ["import"]


def test_a_phone_that_a_later_file_brings_stays_and_twice_is_once() -> None:
    she = prove(visit(), phone(1))
    for _time in range(2):
        take_over([[phone(1)]], HEADINGS[:1])
        assert places(phone(1)) == ["mini_program", "import"]
    revoke()
    assert (places(phone(1)), Member.objects.get(pk=she).phone) == (["import"], phone(1))


def test_a_name_and_an_address_are_asked_where_they_came_from_as_well() -> None:
    she = prove(visit())
    services.correct_profile(member_id=she, name="王小美", address="上海市静安区一号", actor=DESK)
    revoke(codes="205,201")
    row = Member.objects.get(pk=she)
    assert (row.name, forgotten()) == ("王小美", [])
    services.change_profile(member_id=she, name="小美", actor=Actor.member(she))
    services.change_address(
        member_id=she, province="上海市", city="", district="静安区", street="二号", actor=WECHAT
    )
    revoke(codes="205,201")
    assert (Member.objects.get(pk=she).name, forgotten()) == ("", ["address", "name"])


def test_an_imported_name_and_address_stay() -> None:
    take_over([[*person(1), "上海市徐汇区虹漕路46号"]], (*HEADINGS, "地址"))
    she = prove(visit(), phone(1))
    revoke(codes="")
    row = Member.objects.get(pk=she)
    assert (bool(row.name), row.phone, MemberAddress.objects.count()) == (True, phone(1), 1)


def test_a_cancelled_account_does_not_erase_who_gave_the_shop_her_phone() -> None:
    she = visit(at=clock.now() - LONG_AGO)
    survivor = merge(she, till()).survivor
    revoke(codes="", is_cancellation=True)
    row = Member.objects.get(pk=survivor.pk)
    assert (row.stage, row.phone, row.source) == ("member", PHONE, "mini_program")
    assert selectors.find_member_id("mini_openid", APP, "o-mini-a") is None


def test_a_cancelled_account_of_a_shops_member_takes_what_she_gave_in_it() -> None:
    she = prove(visit(), OTHER)
    survivor = merge(till(at=clock.now() - LONG_AGO), she).survivor
    services.change_address(
        member_id=survivor.pk, province="上海市", city="", district="静安区", street="二号", actor=WECHAT
    )
    revoke(codes="", is_cancellation=True)
    assert (numbers(), places(), places(OTHER)) == ({PHONE}, ["pos"], None)
    assert not MemberAddress.objects.exists()


def test_the_database_refuses_a_phone_that_was_given_nowhere() -> None:
    she = visit()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        MemberIdentity.objects.create(member_id=she, kind="phone", value="f" * 64, linked_at=clock.now())
    assert violated(refused.value) == "memberidentity_phone_given_somewhere"
