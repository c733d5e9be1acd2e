"""Staff put a member's data right: read as an imported list is, all or nothing, audited by names of fields."""

import datetime as dt
import json
from functools import partial
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.contracts import CorrectedProfile
from members.errors import (
    AddressUnusable,
    BirthdayUnusable,
    GenderUnusable,
    NameUnusable,
    NoSuchMember,
    StaffOnly,
)
from members.models import Member, MemberAddress, PointsSettings
from tests.members.merge_kit import DESK, customer, follower, merge
from tests.threads import at_once

pytestmark = pytest.mark.django_db

STREET = "南京西路 1038 号 7 楼"
HOME = f"上海静安区{STREET}"


def correct(member_id: int, **values: Any) -> CorrectedProfile:
    return services.correct_profile(member_id=member_id, **{"actor": DESK, **values})


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="members.profile_corrected").order_by("pk"))


def test_all_is_read_as_an_imported_list_is() -> None:
    she = customer("13800138000", name="王小美")
    done = correct(
        she.id, name="　欧阳 慕雪女士", gender="female", birthday="１９９０年５月１日", address=HOME
    )
    row = Member.objects.get(pk=she.id)
    assert (row.name, row.gender, row.birthday) == ("欧阳 慕雪", "female", dt.date(1990, 5, 1))
    assert row.pk in selectors.search_member_ids("慕雪")
    home = selectors.get_address(she.id)
    assert (home.province, home.city, home.district, home.street) == ("上海市", "上海市", "静安区", STREET)
    assert done.changed == ("birthday", "gender", "name", "address")
    assert row.name_given_through == MemberAddress.objects.get().given_through == "staff"


def test_the_audit_names_the_fields_and_none_of_their_values() -> None:
    she = customer("13800138000", name="王小美")
    correct(she.id, name="欧阳慕雪", birthday="1990-05-01", address=HOME)
    assert entries()[0].details == {"fields": ["birthday", "name", "address"]}
    assert (entries()[0].actor_kind, entries()[0].actor_id) == ("staff", DESK.id)
    told = json.dumps([entry.details for entry in AuditEntry.objects.all()], ensure_ascii=False)
    assert not [word for word in ("欧阳", "1990", "静安", "南京西路") if word in told]


def test_none_leaves_and_an_empty_text_forgets() -> None:
    she = customer("13800138000", name="王小美", gender="female", birthday=dt.date(1990, 5, 1))
    correct(she.id, address=HOME)
    assert correct(she.id).changed == ()
    assert correct(she.id, name="王小美", gender="female", birthday="1990/5/1", address=HOME).changed == ()
    assert len(entries()) == 1
    correct(she.id, name="", gender="", birthday="", address="")
    row = Member.objects.get(pk=she.id)
    assert (row.name, row.name_tokens, row.gender, row.birthday) == ("", [], "", None)
    assert not MemberAddress.objects.exists()
    assert row.name_given_through == ""


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"name": "好" * 61}, NameUnusable, "name"),
        ({"name": "12345"}, NameUnusable, "name"),
        ({"gender": "x"}, GenderUnusable, "gender"),
        ({"birthday": "明天"}, BirthdayUnusable, "birthday"),
        ({"birthday": "90-5-1"}, BirthdayUnusable, "birthday"),
        ({"birthday": "农历四月初七"}, BirthdayUnusable, "birthday"),
        ({"birthday": "1990-02-30"}, BirthdayUnusable, "birthday"),
        ({"birthday": "2999-01-01"}, BirthdayUnusable, "birthday"),
        ({"birthday": "1890-01-01"}, BirthdayUnusable, "birthday"),
        ({"address": "南京西路 1038 号"}, AddressUnusable, "address"),
        ({"address": "上海市静安区" + "长" * 121}, AddressUnusable, "street"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_changed(
    values: dict[str, str], refusal: type[Any], field: str
) -> None:
    she = customer("13800138000", name="王小美")
    whole = {"name": "欧阳慕雪", "gender": "female", "birthday": "1990-05-01", "address": HOME, **values}
    with pytest.raises(refusal) as refused:
        correct(she.id, **whole)
    assert refused.value.details["field"] == field
    assert not [value for value in values.values() if value in refused.value.message]
    row = Member.objects.get(pk=she.id)
    assert (row.name, row.gender, row.birthday, entries()) == ("王小美", "", None, [])


@pytest.mark.parametrize(
    "actor", [Actor.guide(1, "李娜"), Actor.member(1), Actor.system("x"), Actor("staff", None)]
)
def test_nobody_but_staff_puts_it_right(actor: Actor) -> None:
    she = customer("13800138000")
    with pytest.raises(StaffOnly):
        correct(she.id, name="欧阳慕雪", actor=actor)


def test_an_unknown_and_an_erased_member_are_the_same_nobody() -> None:
    she = customer("13800138000")
    services.erase_member(member_id=she.id, reason="staff", actor=DESK)
    for member_id in (she.id, 10**12):
        with pytest.raises(NoSuchMember):
            correct(member_id, name="欧阳慕雪")


def test_a_merged_row_leads_to_the_one_she_lives_on_in() -> None:
    she, fan = customer("13800138000"), follower("fan")
    merge(she.id, fan.id)
    assert correct(fan.id, name="欧阳慕雪").member.id == she.id


def test_staff_mend_a_birthday_within_her_year_and_leave_her_year_alone() -> None:
    she = follower("fan")
    for day in ("1990-05-01", "1990-05-02"):
        services.change_profile(member_id=she.id, birthday=dt.date.fromisoformat(day), actor=DESK)
    free_on = selectors.get_profile(she.id).birthday_free_on
    correct(she.id, birthday="1990-05-03")
    assert Member.objects.get(pk=she.id).birthday == dt.date(1990, 5, 3)
    assert selectors.get_profile(she.id).birthday_free_on == free_on


def test_a_profile_that_staff_complete_is_complete() -> None:
    PointsSettings.objects.update_or_create(pk=1, defaults={"profile_reward": 50})
    she = customer("13800138000", name="王小美")
    correct(she.id, gender="female", birthday="1990-05-01")
    assert Member.objects.get(pk=she.id).profile_completed_at is not None
    assert services.reward_profiles(actor=DESK) == 1


@pytest.mark.django_db(transaction=True)
def test_staff_and_she_at_once_lose_neither_change() -> None:
    she = customer("13800138000", name="王小美")
    for number in range(4):
        day = dt.date(1990, 5, 1 + number)
        answers = at_once(
            [
                partial(correct, she.id, birthday=day.isoformat()),
                partial(services.change_profile, member_id=she.id, name=f"小美{number}美", actor=DESK),
                partial(correct, she.id, address=f"上海静安区南京西路 {number} 号"),
            ]
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
        row = Member.objects.get(pk=she.id)
        assert (row.birthday, row.name) == (day, f"小美{number}美")
        assert selectors.get_address(she.id).street == f"南京西路 {number} 号"
    assert clock.now() >= MemberAddress.objects.get().changed_at
