"""券 over HTTP: the tab, picking members, giving, what was given; and that strangers' things are unknown."""

import datetime as dt
import re
from typing import Any

import pytest

from core import clock
from coupons import services as coupon_services
from coupons.models import Coupon, DirectedIssue
from guides import services as guide_services
from members import services as member_services
from members.models import Member
from tests.assistant.coupons_kit import (
    HTMX,
    KEY,
    coupon_of,
    guide_batch,
    members_of,
    public_id,
    redeem_for,
)
from tests.cast import Cast
from tests.coupons.kit import BOSS, claim, make_batch, make_template

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def give(client: Any, batch: int, members: list[Any], request_key: str = KEY) -> Any:
    ids = [getattr(member, "public_id", member) for member in members]
    return client.post(
        f"/a/coupons/batches/{public_id(batch)}/give/", {"m": ids, "request_key": request_key}, headers=HTMX
    )


def picked(answer: Any) -> list[str]:
    return re.findall(r'value="([0-9A-Z]{16})"\s+data-pick', answer.content.decode())


# The tab ---------------------------------------------------------------------------------------------------


def test_the_tab_shows_what_she_may_give_and_why_not_the_rest(cast: Cast, log_in: Any) -> None:
    ready = guide_batch("礼券", guide_quota=20, guide_quota_period="week")
    paused = guide_batch("停发的券")
    coupon_services.pause_batch(batch_id=paused, actor=BOSS)
    make_batch(template_id=make_template(title="小程序券"), doors=("claim",))
    give(log_in(cast.lina), ready, [cast.xiaomei])

    answer = log_in(cast.lina).get("/a/coupons/")

    page = answer.context["page"]
    assert [face.face.title for face in page.ready] == ["礼券"]
    assert (page.ready[0].quota_text, page.ready[0].remaining_text) == (
        "您本周还可发 19 张",
        "这批还剩 99 张",
    )
    assert [(face.face.title, bool(face.why_not)) for face in page.waiting] == [("停发的券", True)]
    assert (page.given_this_month, page.used_of_them) == ("1", "0")
    assert "小程序券" not in answer.content.decode()


def test_the_empty_tab_says_so(cast: Cast, log_in: Any) -> None:
    assert "现在没有可以发的券" in log_in(cast.lina).get("/a/coupons/").content.decode()


@pytest.mark.parametrize("many", [False, True])
def test_every_page_asks_the_database_little_and_not_by_row(
    cast: Cast, log_in: Any, many: bool, django_assert_max_num_queries: Any
) -> None:
    batch = guide_batch(guide_quota=50)
    guide_batch("另一种券")
    client = log_in(cast.lina)
    for member in members_of(cast.lina, 12 if many else 1):
        give(client, batch, [member], member.public_id)
        redeem_for(cast.lina, member)
    issue = DirectedIssue.objects.first()
    assert issue is not None
    pages = [
        "/a/",
        "/a/coupons/",
        f"/a/coupons/batches/{public_id(batch)}/",
        f"/a/coupons/batches/{public_id(batch)}/rows/?birthday=1&q=会",
        f"/a/coupons/results/{issue.public_id}/",
        "/a/coupons/given/",
        "/a/coupons/given/?q=会",
        "/a/coupons/faces/",
        "/a/coupons/redeem/",
        "/a/coupons/redemptions/",
        f"/a/members/{cast.xiaomei.public_id}/coupons/",
        f"/a/members/{cast.xiaomei.public_id}/?tab=coupons",
    ]
    for path in pages:
        with django_assert_max_num_queries(12, info=path):
            answer = client.get(path)
        assert answer.status_code == 200, path
        assert not re.search(r' style="| on[a-z]+="|<script>', answer.content.decode()), path


# Picking ---------------------------------------------------------------------------------------------------


def test_the_list_is_narrowed_by_words_birthday_tier_and_tag(cast: Cast, log_in: Any) -> None:
    first, second = members_of(cast.lina, 2)
    Member.objects.filter(pk=first.id).update(birthday=dt.date(1990, 3, 20))
    Member.objects.filter(pk=second.id).update(birthday=dt.date(1990, 4, 1))
    group = member_services.create_tag_group(name="喜好", is_exclusive=False, actor=BOSS)
    tag = member_services.create_tag(group_id=group.id, name="素色", actor=BOSS)
    member_services.tag_members(member_ids=[second.id], tag_id=tag.id, actor=BOSS)
    own = guide_services.tag_privately(
        guide_id=cast.lina.id, public_id=first.public_id, name="爱聊天", actor=BOSS
    )
    theirs = members_of(cast.wangfang, 1)[0]
    other = guide_services.tag_privately(
        guide_id=cast.wangfang.id, public_id=theirs.public_id, name="她的", actor=BOSS
    )
    client, rows = log_in(cast.lina), f"/a/coupons/batches/{public_id(guide_batch())}/rows/"

    assert set(picked(client.get(rows))) == {first.public_id, second.public_id, cast.xiaomei.public_id}
    assert picked(client.get(rows, {"q": "xiaomei"})) == [cast.xiaomei.public_id]
    assert picked(client.get(rows, {"birthday": "1"})) == [first.public_id]
    assert picked(client.get(rows, {"tag": f"c{tag.id}"})) == [second.public_id]
    assert picked(client.get(rows, {"tag": f"o{own.id}"})) == [first.public_id]
    assert picked(client.get(rows, {"tag": f"o{own.id}", "birthday": "1", "q": "会员"})) == [first.public_id]
    assert picked(client.get(rows, {"tag": f"o{other.id}"})) == []
    assert picked(client.get(rows, {"tier": "99999"})) == []
    assert "没有符合的会员" in client.get(rows, {"tag": "c99999"}).content.decode()
    for odd in ({"tag": "x'; --"}, {"tag": "c" + "9" * 30}, {"q": "\0"}):
        assert client.get(rows, odd).status_code == 200
    assert client.get(rows, {"tier": "x"}).status_code == 400


def test_the_list_is_endless_and_keeps_its_narrowing(cast: Cast, log_in: Any) -> None:
    members_of(cast.lina, 25)
    client, rows = log_in(cast.lina), f"/a/coupons/batches/{public_id(guide_batch())}/rows/"
    first = client.get(rows, {"q": "会员"})
    following = re.findall(r'hx-get="([^"]+)"', first.content.decode())[0].replace("&amp;", "&")
    rest = client.get(following)
    assert len({*picked(first), *picked(rest)}) == 25
    assert "已经到底了" in rest.content.decode()


def test_the_confirmation_says_in_numbers_what_will_happen(cast: Cast, log_in: Any) -> None:
    members = members_of(cast.lina, 3)
    batch = guide_batch(guide_quota=4, guide_quota_period="day", member_limit=1, quota=50)
    client = log_in(cast.lina)
    give(client, batch, members[:1])
    url = f"/a/coupons/batches/{public_id(batch)}/confirm/"

    sheet = client.post(url, {"m": [m.public_id for m in members]}, headers=HTMX).context["page"]

    assert (sheet.title, sheet.submit) == ("发给 3 位会员", "确认发 2 张")
    assert [doubt.name for doubt in sheet.doubts] == ["会员0"]
    assert sheet.facts == ("发完后，您今天的额度还剩 1 张", "这批券还剩 47 张")


def test_the_confirmation_says_when_quota_is_short_and_leaves_out_who_went(cast: Cast, log_in: Any) -> None:
    members = members_of(cast.lina, 3)
    batch = guide_batch(guide_quota=2)
    gone = members_of(cast.wangfang, 1)[0]
    url = f"/a/coupons/batches/{public_id(batch)}/confirm/"

    sheet = log_in(cast.lina).post(url, {"m": [m.public_id for m in (*members, gone)]}).context["page"]

    assert sheet.public_ids == tuple(m.public_id for m in members) or set(sheet.public_ids) == {
        m.public_id for m in members
    }
    assert "只剩 2 张可发" in sheet.facts[0]
    assert sheet.submit == "确认发 2 张"


@pytest.mark.parametrize("ids", [[], ["x"] * 51, [f"{number:016}" for number in range(200)]])
def test_the_confirmation_refuses_nobody_and_a_crowd(cast: Cast, log_in: Any, ids: list[str]) -> None:
    url = f"/a/coupons/batches/{public_id(guide_batch())}/confirm/"
    answer = log_in(cast.lina).post(url, {"m": ids}, headers=HTMX)
    assert answer.status_code in {400, 404}
    assert "X-Refusal" in answer


# Giving ----------------------------------------------------------------------------------------------------


def test_giving_opens_the_result_with_both_lists(cast: Cast, log_in: Any) -> None:
    first, second = members_of(cast.lina, 2)
    batch = guide_batch(member_limit=1)
    client = log_in(cast.lina)
    give(client, batch, [second], KEY + "0")

    answer = give(client, batch, [first, second])

    assert answer.status_code == 204
    page = client.get(answer["HX-Redirect"]).context["page"]
    assert page.title == "已发放 1 张，1 位没有发出"
    assert [row.name for row in page.given] == [first.display_name]
    assert [(row.name, row.why) for row in page.refused] == [(second.display_name, "已经达到每人限领的张数")]
    assert page.retry_ids == ()


def test_a_second_tap_and_a_lost_answer_change_nothing(cast: Cast, log_in: Any) -> None:
    members, batch, client = members_of(cast.lina, 2), guide_batch(), log_in(cast.lina)
    answers = [give(client, batch, members) for _ in range(3)]
    assert len({answer["HX-Redirect"] for answer in answers}) == 1
    assert Coupon.objects.filter(batch_id=batch).count() == 2
    other = give(client, batch, members[:1])
    assert (other.status_code, other["X-Refusal"]) == (409, "coupons.request_reused")


def test_those_refused_for_passing_reasons_can_be_asked_again(cast: Cast, log_in: Any) -> None:
    members, batch, client = members_of(cast.lina, 3), guide_batch(guide_quota=1), log_in(cast.lina)
    path = give(client, batch, members)["HX-Redirect"]
    page = client.get(path).context["page"]
    assert set(page.retry_ids) == {member.public_id for member in members[1:]}
    import dataclasses

    from coupons import selectors

    more = dataclasses.replace(selectors.get_batch(batch).terms, guide_quota=9)
    coupon_services.change_batch(batch_id=batch, terms=more, actor=BOSS)
    again = give(client, batch, list(page.retry_ids), page.retry_key)
    assert client.get(again["HX-Redirect"]).context["page"].title == "已发放 2 张"


@pytest.mark.parametrize("key", ["", "short", "x" * 60, "spaced key 123", "k\0k\0k\0k\0k\0"])
def test_a_form_without_its_key_gives_nothing(cast: Cast, log_in: Any, key: str) -> None:
    batch = guide_batch()
    answer = give(log_in(cast.lina), batch, [cast.xiaomei], key)
    assert (answer.status_code, answer["X-Refusal"]) == (400, "core.invalid_input")
    assert not Coupon.objects.exists()


def test_others_members_batches_and_results_are_unknown(cast: Cast, log_in: Any) -> None:
    batch, hidden = guide_batch(), make_batch(doors=("system",))
    client, stranger = log_in(cast.lina), log_in(cast.wangfang)
    result = give(client, batch, [cast.xiaomei])["HX-Redirect"]
    for answer in (
        give(stranger, batch, [cast.xiaomei]),
        give(stranger, batch, ["2222222222222222"]),
        stranger.get(result),
        stranger.get(f"/a/members/{cast.xiaomei.public_id}/coupons/"),
        stranger.post(
            f"/a/members/{cast.xiaomei.public_id}/coupons/give/",
            {"batch": public_id(batch), "request_key": KEY},
        ),
        stranger.get(f"/a/members/{cast.xiaomei.public_id}/coupons/rows/"),
        stranger.get(f"/a/coupons/given/?member={cast.xiaomei.public_id}"),
        stranger.post(f"/a/coupons/batches/{public_id(batch)}/confirm/", {"m": [cast.xiaomei.public_id]}),
        client.get(f"/a/coupons/batches/{public_id(hidden)}/"),
        client.get("/a/coupons/batches/2222222222222222/"),
        client.get("/a/coupons/batches/%00/rows/"),
        client.get("/a/coupons/results/2222222222222222/"),
    ):
        # The last stretch but one draws members without the batch: it says nothing of it.
        assert answer.status_code == 404 or picked(answer) == [cast.xiaomei.public_id], answer
    assert Coupon.objects.count() == 1
    assert give(client, hidden, [cast.xiaomei], KEY + "1").status_code == 204
    assert Coupon.objects.count() == 1  # refused, and the result says why


def test_a_member_page_gives_in_place(cast: Cast, log_in: Any) -> None:
    batch, client = guide_batch(), log_in(cast.lina)
    url = f"/a/members/{cast.xiaomei.public_id}/coupons/"
    sheet = client.get(url, headers=HTMX).context["page"]
    sent = {"batch": sheet.ready[0].public_id, "request_key": sheet.request_key, "open": "1"}
    answers = [client.post(f"{url}give/", sent, headers=HTMX) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert 'id="member-coupons" hx-swap-oob="true"' in answers[0].content.decode()
    assert Coupon.objects.filter(batch_id=batch, member_id=cast.xiaomei.id).count() == 1
    closed = client.post(f"{url}give/", sent | {"open": "", "request_key": KEY}, headers=HTMX)
    assert "member-coupons" not in closed.content.decode()


def test_a_refused_gift_keeps_the_dialog_and_says_why(cast: Cast, log_in: Any) -> None:
    batch, client = guide_batch(member_limit=1), log_in(cast.lina)
    give(client, batch, [cast.xiaomei])
    sent = {"batch": public_id(batch), "request_key": KEY + "1"}
    answer = client.post(f"/a/members/{cast.xiaomei.public_id}/coupons/give/", sent, headers=HTMX)
    assert answer["X-Refusal"] == "coupons.over_member_limit"
    assert 'id="sheet"' not in answer.content.decode()


# What was given ---------------------------------------------------------------------------------------------


def test_what_she_gave_is_filtered_by_state_and_by_member(cast: Cast, log_in: Any) -> None:
    first, second = members_of(cast.lina, 2)
    batch, client = guide_batch(), log_in(cast.lina)
    give(client, batch, [first, second])
    used = Coupon.objects.get(member_id=first.id)
    coupon_services.redeem_coupon(
        code=used.code,
        order=coupon_services.Order(
            store_id=cast.store.id, order_no="A9", amount_fen=32_000, discount_fen=3_000
        ),
        request_id="till-1",
        actor=BOSS,
    )

    def names(**asked: str) -> list[str]:
        return [row.name for row in client.get("/a/coupons/given/", asked).context["page"].list.rows]

    assert names() == [second.display_name, first.display_name]
    assert names(state="redeemed") == names(member=first.public_id) == [first.display_name]
    assert names(state="usable") == [second.display_name]
    assert names(state="expired") == []
    assert names(q="huiyuan1") == [second.display_name]
    row = client.get("/a/coupons/given/?state=redeemed").context["page"].list.rows[0]
    assert (row.is_used, row.use_text) == (True, "刚刚用了，订单 ¥320")
    assert log_in(cast.wangfang).get("/a/coupons/given/").context["page"].list.is_empty


def test_who_went_to_another_guide_and_who_took_a_gift_are_not_shown_whole(cast: Cast, log_in: Any) -> None:
    first, second = members_of(cast.lina, 2)
    batch = guide_batch(template={"gifting": "anyone"})
    client = log_in(cast.lina)
    give(client, batch, [first, second])
    guide_services.rebind_member(
        member_id=first.id, guide_id=cast.wangfang.id, reason="会员要求", source="staff", actor=BOSS
    )
    coupon = Coupon.objects.get(member_id=second.id)
    offer = coupon_services.gift_coupon(coupon_id=coupon.pk, member_id=second.id, request_key="g", actor=BOSS)
    coupon_services.accept_gift(token=offer.token, member_id=cast.xiaoli.id, actor=BOSS)
    page = client.get("/a/coupons/given/").context["page"]
    assert [(row.name, row.member_id) for row in page.list.rows] == [
        (second.display_name, second.public_id),
        ("会**", ""),
    ]
    assert page.list.rows[0].use_text == "已转赠给朋友"
    assert cast.xiaoli.display_name not in client.get("/a/coupons/given/").content.decode()


def test_the_list_of_given_coupons_is_endless(cast: Cast, log_in: Any) -> None:
    batch, client = guide_batch(), log_in(cast.lina)
    give(client, batch, members_of(cast.lina, 25))
    first = client.get("/a/coupons/given/")
    following = re.findall(r'hx-get="(/a/coupons/given/rows/\?cursor[^"]+)"', first.content.decode())[0]
    rest = client.get(following.replace("&amp;", "&")).context["page"]
    assert (len(first.context["page"].list.rows), len(rest.rows), rest.next_url) == (20, 5, "")
    assert len(client.get("/a/coupons/given/?rows=40").context["page"].list.rows) == 25


# The member's page and 今日 -----------------------------------------------------------------------------------


def test_her_coupons_stand_in_the_order_of_their_end_with_what_is_over_below(cast: Cast, log_in: Any) -> None:
    later, soon = (
        coupon_of(cast.xiaomei, title="晚到期", valid_days=20),
        coupon_of(cast.xiaomei, title="早到期", valid_days=2),
    )
    redeem_for(cast.lina, cast.xiaomei)
    long_ago = clock.now() - dt.timedelta(days=40)
    old = make_batch(template_id=make_template(title="过了的", valid_days=7), at=long_ago)
    for number in range(7):
        claim(old, cast.xiaomei.id, f"old{number}", at=long_ago)
    part = (
        log_in(cast.lina).get(f"/a/members/{cast.xiaomei.public_id}/?tab=coupons").context["page"].opened.part
    )
    assert [face.title for face in part.usable] == ["早到期", "晚到期"]
    assert (part.soon_text, part.usable[0].dates) == ("1 张 3 天内到期", "明天到期")
    assert [row.title for row in part.used.rows] == ["满减券"]
    assert (len(part.expired.rows), part.expired.rows[0].title) == (5, "过了的")
    more = log_in(cast.lina).get(
        f"/a/members/{cast.xiaomei.public_id}/coupons/rows/?state=expired&cursor={part.expired.next_cursor}"
    )
    assert len(more.context["page"].rows) == 2
    assert {later.state, soon.state} == {"issued"}


def test_today_names_whose_coupons_end_soon(cast: Cast, log_in: Any) -> None:
    assert log_in(cast.lina).get("/a/").context["page"].expiring is None
    for member in (cast.xiaomei, *members_of(cast.lina, 4)):
        coupon_of(member, title="快用", valid_days=3)
    coupon_of(cast.xiaomei, title="也快", valid_days=1)
    coupon_of(cast.xiaoli, title="别人的", valid_days=1)
    answer = log_in(cast.lina).get("/a/")
    card = answer.context["page"].expiring
    assert [(row.name, row.coupon_text, row.until_text) for row in card.rows][:1] == [
        (cast.xiaomei.display_name, "也快等 2 张", "今天到期")
    ]
    assert (len(card.rows), card.more_text) == (3, "另有 2 位会员的券 3 天内到期")
    assert "别人的" not in answer.content.decode()
    assert log_in(cast.wangfang).get("/a/").context["page"].expiring is None


def test_whoever_is_not_logged_in_goes_to_the_login(cast: Cast, client: Any) -> None:
    for path in ("/a/coupons/", "/a/coupons/redeem/", "/a/coupons/faces/", "/a/coupons/given/"):
        assert client.get(path).status_code == 302
