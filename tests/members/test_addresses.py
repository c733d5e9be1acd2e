"""Where a member lives: places by their full names, the street sealed, the audit without what she wrote."""

import json
from functools import partial
from typing import Any

import pytest
from django.db import connection

from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.contracts import AddressCard
from members.errors import AddressUnusable, NoSuchMember
from members.models import MemberAddress
from tests.cast import make_follower, openid_of
from tests.threads import at_once

STREET = "南京西路 1038 号 7 楼"


@pytest.fixture
def she(db: None) -> int:
    return make_follower("小美", openid_of("home")).id


def move(
    member_id: int, province: str = "", city: str = "", district: str = "", street: str = ""
) -> AddressCard:
    return services.change_address(
        member_id=member_id,
        province=province,
        city=city,
        district=district,
        street=street,
        actor=Actor.member(member_id),
    )


def place(card: AddressCard) -> tuple[str, str, str]:
    return card.province, card.city, card.district


def changes() -> list[Any]:
    return [entry.details["fields"] for entry in AuditEntry.objects.filter(action="members.address_changed")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("上海市", "上海市", "静安区"), ("上海市", "上海市", "静安区")),
        (("上海", "", "静安区"), ("上海市", "上海市", "静安区")),
        (("北京市", "市辖区", "东城区"), ("北京市", "北京市", "东城区")),
        (("浙江省", "杭州市", ""), ("浙江省", "杭州市", "")),
        (("", "杭州市", "西湖区"), ("浙江省", "杭州市", "西湖区")),
        (("广东省", "", ""), ("广东省", "", "")),
        (("", "", ""), ("", "", "")),
    ],
)
def test_a_place_is_kept_by_its_full_names(
    she: int, given: tuple[str, str, str], kept: tuple[str, str, str]
) -> None:
    assert place(move(she, *given, STREET)) == kept
    assert place(selectors.get_address(she)) == kept
    assert selectors.get_address(she).street == STREET


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"province": "东海省"}, "province"),
        ({"province": "浙江省", "city": "南京市"}, "province"),
        ({"province": "浙江省", "city": "杭州市", "district": "静安区"}, "province"),
        ({"district": "朝阳区"}, "province"),  # there are several
        ({"province": "上海市", "district": "静安区南京西路"}, "province"),
        ({"province": "上" * 41}, "province"),
        ({"city": "杭州市\0"}, "city"),
        ({"district": "静安区\n"}, "district"),
        ({"street": "路" * 121}, "street"),
        ({"street": "一楼\0"}, "street"),
        ({"street": "一楼\n二楼"}, "street"),
        ({"street": "一楼\x7f"}, "street"),
        ({"street": "\u200b"}, "street"),
        ({"street": "\ud800"}, "street"),
    ],
)
def test_what_is_no_address_is_refused(she: int, given: dict[str, str], field: str) -> None:
    move(she, "上海市", street=STREET)
    with pytest.raises(AddressUnusable) as refused:
        move(she, **given)
    assert refused.value.details == {"field": field}
    assert selectors.get_address(she).street == STREET


def test_a_street_may_have_120_characters_and_stray_blanks_go(she: int) -> None:
    assert len(move(she, street="路" * 120).street) == 120
    assert move(she, street="　南京西路   1038 号 ").street == "南京西路 1038 号"


def test_the_street_is_sealed_and_the_audit_names_parts_only(she: int) -> None:
    move(she, "上海市", "上海市", "静安区", STREET)
    move(she, "上海市", "上海市", "静安区", "华山路 1 号")
    move(she, "上海市", "上海市", "静安区", "华山路 1 号")
    assert changes() == [["city", "district", "province", "street"], ["street"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT street FROM members_memberaddress")
        (stored,) = cursor.fetchone()
    assert "华山路" not in str(stored)
    told = json.dumps(list(AuditEntry.objects.values_list("details", flat=True)), ensure_ascii=False)
    assert "华山路" not in told
    assert "静安" not in told
    assert "华山路" not in repr(selectors.get_address(she))


def test_an_empty_address_forgets_the_old_one(she: int) -> None:
    assert move(she) == AddressCard()
    assert changes() == []
    move(she, "上海市", street=STREET)
    assert move(she) == selectors.get_address(she) == AddressCard()
    assert not MemberAddress.objects.exists()
    assert changes()[-1] == ["city", "province", "street"]


def test_a_merged_row_leads_to_the_living_one_and_an_erased_member_has_no_address(she: int) -> None:
    other = make_follower("小丽", openid_of("home2")).id
    living = services.merge_members(first_id=she, second_id=other, actor=Actor.system("test")).id
    move(other if living == she else she, "上海市", street=STREET)
    assert selectors.get_address(living).street == STREET
    services.erase_member(member_id=living, reason="own_wish", actor=Actor.system("test"))
    with pytest.raises(NoSuchMember):
        move(living, "上海市")


@pytest.mark.django_db(transaction=True)
def test_two_addresses_at_once_leave_one_row() -> None:
    member_id = make_follower("小美", openid_of("home")).id
    answers = at_once([partial(move, member_id, "上海市", street=f"{n} 号") for n in range(4)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert MemberAddress.objects.count() == 1
