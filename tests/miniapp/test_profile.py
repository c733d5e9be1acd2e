"""Her own data: profile, member code, points, guide and stores."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.models import BindingPolicy
from members import services as member_services
from members.errors import MemberCodeUnusable
from members.models import Member, PointsSettings
from tests.miniapp.kit import Mini, Phone, codes

TILL = Actor.system("till")


def member_of(phone: Phone) -> Member:
    return Member.objects.get(public_id=phone.get("/profile").data["id"])


# Profile ---------------------------------------------------------------------------------------------------


def test_a_new_visitor_sees_what_is_missing(phone: Phone) -> None:
    told = phone.get("/profile").data
    assert (told["stage"], told["name"], told["masked_phone"]) == ("prospect", "", "")
    assert told["missing"] == ["name", "gender", "birthday", "phone"]
    assert "phone" not in told


def test_she_changes_her_profile_and_what_she_leaves_out_stays(phone: Phone) -> None:
    given = {"name": " 王 小美 ", "gender": "female", "birthday": "1995-05-20"}
    told = phone.ask("PATCH", "/profile", given).data
    assert (told["name"], told["gender"], told["birthday"]) == ("王 小美", "female", "1995-05-20")
    told = phone.ask("PATCH", "/profile", {"name": "小美"}).data
    assert (told["name"], told["gender"], told["missing"]) == ("小美", "female", ["phone"])
    assert phone.ask("PATCH", "/profile", {}).status_code == 200


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": ""}, "core.invalid_input"),
        ({"name": "长" * 61}, "core.invalid_input"),
        ({"name": 7}, "core.invalid_input"),
        ({"name": None}, "core.invalid_input"),
        ({"name": "\u200b"}, "members.name_unusable"),
        ({"gender": "other"}, "core.invalid_input"),
        ({"birthday": "1995-02-30"}, "core.invalid_input"),
        ({"birthday": "2095-05-20"}, "members.birthday_unusable"),
        ({"birthday": "1795-05-20"}, "members.birthday_unusable"),
        ({"birthday": 19950520}, "core.invalid_input"),
        ({"phone": "13800138000"}, "core.invalid_input"),
        ({"stage": "member"}, "core.invalid_input"),
    ],
)
def test_what_cannot_be_hers_is_refused(phone: Phone, given: dict[str, Any], code: str) -> None:
    before = phone.get("/profile").data
    assert codes(phone.ask("PATCH", "/profile", given)) == (400, code)
    assert phone.get("/profile").data == before


def test_a_birthday_may_be_mended_once_and_then_once_a_year(phone: Phone) -> None:
    def set_to(day: str) -> Any:
        return phone.ask("PATCH", "/profile", {"birthday": day})

    assert set_to("1995-05-20").data["birthday_free_on"] is None
    mended = set_to("1995-05-21")
    assert mended.status_code == 200
    refused = set_to("1995-05-22")
    assert codes(refused) == (409, "members.birthday_changed_lately")
    assert refused.data["details"]["free_on"] == mended.data["birthday_free_on"]
    assert set_to("1995-05-21").status_code == 200  # the same is no change
    with time_machine.travel(clock.now() + dt.timedelta(days=366), tick=True):
        phone.log_in()
        assert set_to("1995-05-22").status_code == 200


def test_a_complete_profile_is_rewarded_once(phone: Phone) -> None:
    from members import handlers
    from members.events import ProfileCompleted

    PointsSettings.objects.update_or_create(pk=1, defaults={"profile_reward": 50})
    phone.prove_phone()
    told = phone.ask("PATCH", "/profile", {"name": "小美", "gender": "female", "birthday": "1995-05-20"}).data
    assert (told["is_complete"], told["missing"]) == (True, [])
    for _ in range(2):
        handlers.on_profile_completed(ProfileCompleted(member_of(phone).pk))
    assert phone.get("/points").data["balance"] == 50
    lines = phone.get("/points/entries").data["entries"]
    assert [(line["delta"], line["reason"]) for line in lines] == [(50, "完善资料")]


# Member code -----------------------------------------------------------------------------------------------


def test_a_till_reads_her_code_once(phone: Phone) -> None:
    code = phone.post("/member-code").data
    assert (len(code["text"]), code["text"][:2], code["expires_in"]) == (20, "80", 60)
    read = member_services.read_member_code(token=code["text"], request_key="till-1", actor=TILL)
    assert read.public_id == phone.get("/profile").data["id"]
    again = member_services.read_member_code(token=code["text"], request_key="till-1", actor=TILL)
    assert again == read
    with pytest.raises(MemberCodeUnusable):
        member_services.read_member_code(token=code["text"], request_key="till-2", actor=TILL)


# Points ----------------------------------------------------------------------------------------------------


def test_points_come_in_pages_that_neither_skip_nor_repeat(phone: Phone) -> None:
    member_id = member_of(phone).pk
    for n in range(5):
        member_services.credit_points(member_id=member_id, points=n + 1, source_key=f"sale:{n}", actor=TILL)
    seen: list[int] = []
    query = "?limit=2"
    for _ in range(3):
        page = phone.get(f"/points/entries{query}").data
        seen += [line["delta"] for line in page["entries"]]
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert (seen, page["next_cursor"]) == ([5, 4, 3, 2, 1], None)
    assert set(page["entries"][0]) == {"kind", "kind_label", "delta", "balance_after", "reason", "at"}


def test_a_cursor_of_another_member_is_refused_like_a_made_up_one(mini: Mini, phone: Phone) -> None:
    member_id = member_of(phone).pk
    for n in range(3):
        member_services.credit_points(member_id=member_id, points=1, source_key=f"sale:{n}", actor=TILL)
    cursor = phone.get("/points/entries?limit=1").data["next_cursor"]
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    theirs = stranger.get(f"/points/entries?cursor={cursor}")
    made_up = stranger.get("/points/entries?cursor=nonsense")
    assert theirs.status_code == made_up.status_code == 400
    assert theirs.data == made_up.data


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=" + "9" * 300, "cursor=%00", "page=2"]
)
def test_a_bad_page_is_refused(phone: Phone, query: str) -> None:
    answer = phone.get(f"/points/entries?{query}")
    assert answer.status_code == 400
    assert answer.data["code"] in {"core.invalid_input", "miniapp.not_text"}


# Guide -----------------------------------------------------------------------------------------------------


def choose(phone: Phone, guide: Any, key: str = "request-1", reason: str = "moved") -> Any:
    return phone.ask("PUT", "/guide", {"guide_id": guide.public_id, "reason": reason, "request_key": key})


def test_she_sees_her_guide_with_the_store_and_how_to_reach_her(phone: Phone, cast: Any) -> None:
    from guides.models import ChannelCode

    ChannelCode.objects.filter(guide_id=cast.lina.id).update(qr_url="http://weixin.qq.com/q/02abc")
    guide_services.bind_member(
        member_id=member_of(phone).pk, guide_id=cast.lina.id, source="scan", actor=TILL
    )
    mine = phone.get("/guide").data
    assert (mine["name"], mine["is_active"]) == ("李娜", True)
    assert mine["qr_content"] == "http://weixin.qq.com/q/02abc"
    assert mine["store"]["phone"] == "021-6322 0118"
    assert mine["store"]["address"] == "测试路 1 号"
    assert len(mine["store"]["opening_hours"]) == 7
    assert "T001" not in str(mine)  # her number is the chain's own affair


def test_a_guide_who_has_left_is_shown_as_gone_and_another_may_be_chosen_at_once(
    phone: Phone, cast: Any
) -> None:
    choose(phone, cast.lina)
    guide_services.leave_guide(guide_id=cast.lina.id, actor=TILL)
    mine = phone.get("/guide").data
    assert (mine["is_active"], mine["qr_content"], mine["change_free_on"]) == (False, "", None)
    assert choose(phone, cast.wangfang, "request-2").status_code == 200


def test_she_chooses_another_guide_and_waits_before_the_next(phone: Phone, cast: Any) -> None:
    guide_services.bind_member(
        member_id=member_of(phone).pk, guide_id=cast.lina.id, source="scan", actor=TILL
    )
    chosen = choose(phone, cast.wangfang)
    assert chosen.data["name"] == "王芳"
    refused = choose(phone, cast.chenjing, "request-2")
    assert codes(refused) == (409, "guides.guide_changed_lately")
    assert refused.data["details"]["free_on"] == chosen.data["change_free_on"]
    with time_machine.travel(clock.now() + dt.timedelta(days=30, minutes=1), tick=True):
        phone.log_in()
        assert choose(phone, cast.chenjing, "request-3").data["name"] == "陈静"


def test_the_pause_is_the_deepest_policys(phone: Phone, cast: Any) -> None:
    BindingPolicy.objects.create(name="全国", region=None, change_pause_days=90)
    BindingPolicy.objects.create(name="华东", region_id=cast.east.id, change_pause_days=0)
    choose(phone, cast.lina)
    assert choose(phone, cast.chenjing, "request-2").status_code == 200  # left the east
    assert codes(choose(phone, cast.lina, "request-3")) == (409, "guides.guide_changed_lately")


def test_the_same_choice_again_changes_nothing(phone: Phone, cast: Any) -> None:
    first = choose(phone, cast.wangfang).data
    assert choose(phone, cast.wangfang).data == first
    assert codes(choose(phone, cast.lina)) == (409, "guides.request_key_reused")


def test_anothers_request_key_is_her_own_affair(mini: Mini, phone: Phone, cast: Any) -> None:
    choose(phone, cast.wangfang)
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    assert choose(stranger, cast.lina).data["name"] == "李娜"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reason": "boredom"}, (400, "guides.change_reason_unknown")),
        ({"guide_id": "2222222222222222"}, (404, "guides.no_such_guide")),
        ({"guide_id": "x"}, (404, "guides.no_such_guide")),
        ({"request_key": "short"}, (400, "core.invalid_input")),
        ({"request_key": "a b c d e f"}, (400, "core.invalid_input")),
        ({"guide_id": 7}, (400, "core.invalid_input")),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    phone: Phone, cast: Any, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    given = {"guide_id": cast.lina.public_id, "reason": "moved", "request_key": "request-1", **changes}
    assert codes(phone.ask("PUT", "/guide", given)) == expected


def test_a_guide_who_has_left_cannot_be_chosen(phone: Phone, cast: Any) -> None:
    guide_services.leave_guide(guide_id=cast.lina.id, actor=TILL)
    assert codes(choose(phone, cast.lina)) == (422, "guides.guide_has_left")


def test_reasons_stores_and_guides_to_choose_from(phone: Phone, cast: Any) -> None:
    reasons = phone.get("/guide/change-reasons").data["reasons"]
    assert {"moved", "other"} <= {reason["key"] for reason in reasons}
    stores = phone.get("/stores?latitude=31.23&longitude=121.48").data["stores"]
    assert [store["name"] for store in stores] == ["南京东路店", "天河路店"]
    assert stores[0]["distance_m"] < 2000 < stores[1]["distance_m"]
    told = phone.get(f"/stores/{stores[0]['id']}/guides").data
    assert [(guide["name"], guide["role"]) for guide in told["guides"]] == [
        ("李娜", "guide"),
        ("王芳", "guide"),
        ("赵强", "manager"),
    ]
    assert told["store"]["latitude"] == 31.23651


@pytest.mark.parametrize(
    "query",
    ["", "latitude=31", "latitude=91&longitude=0", "latitude=nan&longitude=nan", "latitude=inf&longitude=0"],
)
def test_a_place_that_is_not_on_earth_is_refused(phone: Phone, query: str) -> None:
    assert codes(phone.get(f"/stores?{query}")) == (400, "core.invalid_input")


def test_an_unknown_store_is_not_found(phone: Phone) -> None:
    assert codes(phone.get("/stores/2222222222222222/guides")) == (404, "core.not_found")
