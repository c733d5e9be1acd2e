"""What the segment builder offers to choose from: channels, places and what behaviours were about, by their names."""

import datetime as dt
import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from campaigns.admin.segment_form import draft_from_post, draft_of, rule_of, sight_of
from campaigns.selectors import segments
from core import clock
from members.models import Member, MemberAddress
from members.selectors import seen
from tests.admin.test_segments import fields_of, post_of, url
from tests.campaigns.campaign_kit import make_desk
from tests.cast import Cast
from tests.members.behaviours_kit import now_deed, tell

pytestmark = pytest.mark.django_db
BEHAVIOUR = {"n.r": "all", "n.r-0": "members.behaviour"}


@pytest.fixture
def head(cast: Cast, client: Client) -> Client:
    client.force_login(cast.head_office)
    return client


def sell(cast: Cast, number: int, channel: str) -> None:
    apps.get_model("sales", "Sale").objects.create(
        source="pos", order_no=f"o{number}", is_current=True, digest=b"x", member_id=cast.xiaomei.id,
        store_id=cast.store.id, channel=channel, sold_at=clock.now(), business_on=clock.today(), list_fen=100,
        amount_fen=100, unit_count=1, recorded_at=clock.now(),
    )  # fmt: skip


def live_in(member_id: int, province: str, city: str) -> None:
    MemberAddress.objects.create(member_id=member_id, province=province, city=city, changed_at=clock.now())


def field_of(rule: dict[str, Any], name: str) -> dict[str, Any]:
    sight = sight_of(draft_of({"all": [rule]}))
    return next(one for one in sight["parts"][0]["fields"] if one["parameter"] == name)


def found(head: Client, code: str, name: str, words: str, **beside: str) -> list[tuple[str, str]]:
    page = head.get(url("find", code, name), {"q": words, **beside}).content.decode()
    return re.findall(r'data-pick="([^"]+)">([^<]+)<', page)


def told(*deeds: dict[str, Any], who: int) -> None:
    kept = tell(who, *deeds, at=clock.now())
    assert (kept.kept_count, kept.faults) == (len(deeds), ())


# Channels and places ------------------------------------------------------------------------------------------


def test_channels_are_ticked_by_name_the_chains_own_among_them(cast: Cast) -> None:
    sell(cast, 1, "store")
    sell(cast, 2, "抖音")
    apps.get_model("sales", "AttributionRule").objects.create(
        position=1, name="企微", channels=["wecom"], store_bp=10_000
    )
    rule = {"is": "sales.purchases", "with": {"channels": ["抖音", "kiosk"]}}
    field = field_of(rule, "channels")
    assert field["sort"] == "ticks"
    assert field["options"][:2] == [("store", "门店", False), ("mini", "小程序", False)]
    # The chain's own, and one that only a rule from elsewhere knows; it stays as it is.
    assert field["options"][5:] == [
        ("wecom", "wecom", False),
        ("抖音", "抖音", True),
        ("kiosk", "kiosk", True),
    ]
    tree = segments.read_rule({"all": [{"is": "sales.purchases", "with": {"channels": ["store", "抖音"]}}]})
    assert segments.rule_words(tree) == "购买过 门店、抖音"
    assert segments.count_members(tree).member_count == 1


def test_provinces_are_ticked_and_cities_found_as_members_have_them(head: Client, cast: Cast) -> None:
    others = [Member.objects.create(source="pos", registered_at=clock.now()).pk for _number in range(4)]
    live_in(cast.xiaomei.id, "浙江省", "杭州市")
    live_in(cast.xiaoli.id, "浙江省", "宁波市")
    for pk, place in zip(
        others, (("上海市", "上海市"), ("吉林省", "通化市"), ("", "杭州市"), ("", "")), strict=True
    ):
        live_in(pk, *place)
    rule = {"is": "members.place", "with": {"provinces": ["浙江省"], "cities": ["杭州市", "桃花岛"]}}
    provinces = field_of(rule, "provinces")
    assert {key: is_chosen for key, _label, is_chosen in provinces["options"]} == {
        "浙江省": True, "上海市": False, "吉林省": False,
    }  # fmt: skip
    cities = field_of(rule, "cities")
    assert (cities["sort"], cities["takes_typed"]) == ("found", False)
    assert cities["chosen"] == [("杭州市", "杭州市"), ("桃花岛", "桃花岛")]
    assert found(head, "members.place", "cities", "州") == [("杭州市", "杭州市（浙江省）")]
    assert len(found(head, "members.place", "cities", "")) == 4
    assert ("上海市", "上海市") in found(head, "members.place", "cities", "上海")
    assert found(head, "members.place", "cities", "%") == []


def test_many_members_in_few_places_cost_no_more(cast: Cast) -> None:
    """Whoever opens the builder waits for places, not for members."""
    made = Member.objects.bulk_create(
        Member(source="pos", registered_at=clock.now()) for _number in range(20_000)
    )
    MemberAddress.objects.bulk_create(
        MemberAddress(member=one, province=f"{n % 7}省", city=f"{n % 50}市", changed_at=clock.now())
        for n, one in enumerate(made)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_memberaddress")
    assert len(field_of({"is": "members.place"}, "provinces")["options"]) == 7
    with connection.cursor() as cursor:
        explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + seen._PROVINCES
        cursor.execute(explain, {"most": 200})
        [plan] = cursor.fetchone()[0]
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 120


# What behaviours were about -----------------------------------------------------------------------------------


def test_subjects_of_behaviours_are_what_was_done_the_frequent_first(head: Client, cast: Cast) -> None:
    told(
        *(now_deed(kind="searched", words=words) for words in ("围巾", "羊绒大衣", "羊绒大衣")),
        now_deed(kind="page_viewed", page="pages/index"),
        who=cast.xiaomei.id,
    )
    kind = "v.r-0.kind.key"
    assert found(head, "members.behaviour", "subjects", "", **{kind: "searched"}) == [
        ("羊绒大衣", "羊绒大衣"), ("围巾", "围巾"),
    ]  # fmt: skip
    assert found(head, "members.behaviour", "subjects", "绒", **{kind: "searched"}) == [
        ("羊绒大衣", "羊绒大衣")
    ]
    assert found(head, "members.behaviour", "subjects", "", **{kind: "page_viewed"}) == [
        ("pages/index", "pages/index")
    ]
    assert found(head, "members.behaviour", "subjects", "", **{kind: "\0"}) == []
    first = head.get(url("find", "members.behaviour", "subjects"), {"q": "羊"}).content.decode()
    assert "请先选行为" in first
    nothing = head.get(url("find", "members.behaviour", "subjects"), {"q": "没人搜", kind: "searched"})
    assert "按回车就照填的加入" in nothing.content.decode()


def test_goods_and_campaigns_of_behaviours_are_found_and_shown_by_name(head: Client, cast: Cast) -> None:
    products = apps.get_model("sales", "Product").objects
    for code, name in (("C2041", "羊绒大衣"), ("C9", "羊绒围巾"), ("C7", "")):
        products.create(code=code, name=name, created_at=clock.now())
    made = make_desk(cast).made(name="双十一满减")
    told(
        now_deed(),
        now_deed(product="C7"),
        now_deed(product="X1"),
        now_deed(kind="campaign_viewed", campaign=made.public_id),
        who=cast.xiaomei.id,
    )
    kind = "v.r-0.kind.key"

    def subjects(words: str, of: str = "product_viewed") -> list[tuple[str, str]]:
        return found(head, "members.behaviour", "subjects", words, **{kind: of})

    # By its name, though nobody searched for it; what nobody looked at is not offered.
    assert subjects("羊绒") == [("C2041", "羊绒大衣（C2041）")]
    assert subjects("") == [("C2041", "羊绒大衣（C2041）"), ("C7", "C7"), ("X1", "X1")]
    assert subjects("双十一", "campaign_viewed") == [(made.public_id, "双十一满减")]
    rule = {
        "is": "members.behaviour",
        "with": {"whether": "did", "kind": "product_viewed", "subjects": ["C2041", "X1", made.public_id]},
    }
    assert field_of(rule, "subjects")["chosen"] == [
        ("C2041", "羊绒大衣"), ("X1", "X1"), (made.public_id, "双十一满减"),
    ]  # fmt: skip
    tree = segments.read_rule({"all": [rule]})
    assert segments.rule_words(tree) == "小程序行为 做过 看商品 羊绒大衣、X1、双十一满减"
    assert segments.count_members(tree).member_count == 1


def test_a_subject_that_was_done_once_long_ago_is_found_among_few(
    head: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest behaviours do not hold it; the index of its kind does."""
    monkeypatch.setattr("members.selectors.seen._NEWEST", 2)
    old = clock.now() - dt.timedelta(days=2)
    tell(cast.xiaomei.id, now_deed(kind="page_viewed", page="pages/about") | {"at": old.isoformat()}, at=old)
    told(*(now_deed() for _number in range(3)), who=cast.xiaomei.id)
    assert found(head, "members.behaviour", "subjects", "ABOUT", **{"v.r-0.kind.key": "page_viewed"}) == [
        ("pages/about", "pages/about")
    ]


def test_words_with_blanks_go_through_the_form_as_they_are(head: Client) -> None:
    rule = {"all": [
        {"is": "members.behaviour", "with": {"whether": "did", "kind": "searched", "subjects": ["小个子 连衣裙", "包"]}},
        {"is": "members.place", "with": {"provinces": ["火星"], "cities": ["某 市"]}},
        {"is": "sales.purchases", "with": {"channels": ["自有"]}},
    ]}  # fmt: skip
    kept = segments.write_rule(segments.read_rule(rule))
    assert rule_of(draft_from_post(post_of(fields_of(sight_of(draft_of(kept)))))) == kept


def test_the_builder_draws_them(head: Client, cast: Cast) -> None:
    part = head.post(url("build"), {**BEHAVIOUR, "act": "add:r", "new.r": "sales.purchases"}).content.decode()
    assert 'name="v.r-1.channels.key" value="private"' in part
    assert 'hx-params="q,v.r-0.kind.key"' in part
    assert 'data-chips="v.r-0.subjects.key"' in part
    assert 'data-chips="v.r-1.stores.key"' not in part
    schema = segments.rule_schema()["$defs"]["sales.purchases"]["properties"]["with"]["properties"][
        "channels"
    ]
    assert schema["items"]["examples"] == ["store", "mini", "shop", "online", "private"]
