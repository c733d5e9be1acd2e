"""The pages of a logged-in guide: what they show, to whom, at what cost."""

import datetime as dt
import io
import re
from typing import Any

import pytest
import zxingcpp
from django.apps import apps
from PIL import Image

from core import clock
from core.actor import Actor
from guides import services as guide_services
from members import services as member_services
from tests.cast import make_follower, openid_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

STAFF = Actor.system("test")
TICKET_URL = "http://weixin.qq.com/q/02kV5bEwhmdTN10000g07Z"
PAGES = ["/a/", "/a/members/", "/a/my-code/", "/a/my-code/poster/", "/a/me/"]


def bind(member: Any, guide: Any, at: dt.datetime | None = None) -> Any:
    return guide_services.bind_member(
        member_id=member.id, guide_id=guide.id, source="scan", actor=Actor.wechat(), at=at
    )


def give_members(guide: Any, count: int, at: dt.datetime | None = None) -> list[Any]:
    """Members bound one second after the other, oldest first."""
    start = (at or clock.now()) - dt.timedelta(days=3)
    found = []
    for number in range(count):
        moment = start + dt.timedelta(seconds=number)
        member = make_follower(f"会员{number:03}", openid_of(f"m{number:03}"), at=moment)
        bind(member, guide, moment)
        found.append(member)
    return found


def give_ticket(guide: Any) -> None:
    """WeChat has answered: the guide's code can be drawn."""
    apps.get_model("guides", "ChannelCode").objects.filter(guide_id=guide.id).update(
        qr_url=TICKET_URL, ticket="t", scan_count=12, follow_count=5, binding_count=4
    )


def row_ids(answer: Any) -> list[str]:
    return re.findall(r'id="m-([0-9A-Z]{16})"', answer.content.decode())


def next_stretch(answer: Any) -> str | None:
    found = re.search(r'hx-get="(/a/members/rows/\?[^"]+)"', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("members", [0, 30])
def test_a_page_costs_few_queries_and_none_per_row(
    cast, log_in, django_assert_max_num_queries, path, members
):
    give_members(cast.lina, members, at=clock.now() + dt.timedelta(days=3))
    give_ticket(cast.lina)
    client = log_in(cast.lina)

    with django_assert_max_num_queries(10):
        answer = client.get(path)

    assert answer.status_code == 200


def test_the_member_page_costs_few_queries(cast, log_in, django_assert_max_num_queries):
    client = log_in(cast.lina)

    with django_assert_max_num_queries(12):
        assert client.get(f"/a/members/{cast.xiaomei.public_id}/").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_kept_by_nobody_and_loads_from_this_site_only(cast, log_in, path):
    give_ticket(cast.lina)
    answer = log_in(cast.lina).get(path)

    assert answer["Cache-Control"] == "private, no-store"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not re.search(r'(src|href)="(https?:)?//', answer.content.decode())
    assert not re.search(r' style="| on[a-z]+="|<script>', answer.content.decode())


def test_every_page_has_its_own_title_and_marks_its_tab(cast, log_in):
    client = log_in(cast.lina)
    give_ticket(cast.lina)
    titles = [
        re.findall(r"<title>\s*(.*?)\s*</title>", client.get(path).content.decode())[0] for path in PAGES
    ]

    assert len(set(titles)) == len(PAGES)
    assert all(client.get(path).content.decode().count('aria-current="page"') == 1 for path in PAGES)


# 今日 -----------------------------------------------------------------------------------------------------


def test_home_shows_todays_new_members_as_cards(cast, log_in):
    bind(cast.xiaoli, cast.lina)
    page = log_in(cast.lina).get("/a/").context["page"]

    assert page.cards[0].public_id == cast.xiaoli.public_id
    assert page.new_today == str(len(page.cards))
    assert "李娜" in page.greeting


def test_a_busy_day_shows_the_newest_and_says_how_many_more(cast, log_in):
    give_members(cast.wangfang, 25, at=clock.now() + dt.timedelta(days=3, seconds=-30))

    answer = log_in(cast.wangfang).get("/a/")

    page = answer.context["page"]
    assert (len(page.cards), page.more_count) == (20, 5)
    assert "还有 5 位" in answer.content.decode()


def test_home_without_new_members_offers_the_code_and_the_latest_members(cast, log_in):
    member = make_follower("旧人", openid_of("old"), at=clock.now() - dt.timedelta(days=9))
    bind(member, cast.wangfang, at=clock.now() - dt.timedelta(days=9))

    answer = log_in(cast.wangfang).get("/a/")

    page = answer.context["page"]
    assert page.cards == ()
    assert [row.public_id for row in page.earlier] == [member.public_id]
    assert 'href="/a/my-code/"' in answer.content.decode()


def test_reading_home_marks_its_news_read(cast, log_in):
    binding = bind(cast.xiaoli, cast.lina)
    guide_services.tell_of_new_member(binding_id=binding.id)
    client = log_in(cast.lina)
    shell = client.get("/a/me/").context["page"].shell
    assert shell.has_badge

    assert client.post("/a/notices/read/", {"up_to": shell.since}).status_code == 204

    assert not client.get("/a/me/").context["page"].shell.has_badge


# 会员 -----------------------------------------------------------------------------------------------------


def test_the_list_is_endless_without_gap_or_repeat_while_members_join(cast, log_in):
    members = give_members(cast.wangfang, 45)
    client = log_in(cast.wangfang)
    answer = client.get("/a/members/")
    seen = row_ids(answer)
    assert len(seen) == 20

    while (path := next_stretch(answer)) is not None:
        bind(make_follower("后来", openid_of(f"late{len(seen)}")), cast.wangfang)
        answer = client.get(path, headers={"HX-Request": "true"})
        seen += row_ids(answer)

    assert seen == [member.public_id for member in reversed(members)]
    assert answer.content.decode().count('class="end quiet"') == 1


def test_coming_back_restores_as_many_rows_as_were_open(cast, log_in):
    give_members(cast.wangfang, 70)
    client = log_in(cast.wangfang)

    assert len(row_ids(client.get("/a/members/?rows=60"))) == 60
    assert len(row_ids(client.get("/a/members/?rows=999999"))) == 70
    assert len(row_ids(client.get("/a/members/?rows=1"))) == 20


@pytest.mark.parametrize("query", ["小美", "xm", "xiaomei"])
def test_search_finds_by_name_and_pinyin(cast, log_in, query):
    give_members(cast.lina, 3)

    answer = log_in(cast.lina).get("/a/members/rows/", {"q": query}, headers={"HX-Request": "true"})

    assert row_ids(answer) == [cast.xiaomei.public_id]


def test_search_finds_by_the_end_of_the_phone_and_by_member_code(cast, log_in):
    member = member_services.register_member(name="周敏", phone="13812345678", source="pos", actor=STAFF)
    bind(member, cast.lina)
    client = log_in(cast.lina)

    for query in ("5678", "138 1234 5678", member.code.lower()):
        assert row_ids(client.get("/a/members/", {"q": query})) == [member.public_id], query


def test_search_finds_no_member_of_another_guide(cast, log_in):
    assert row_ids(log_in(cast.wangfang).get("/a/members/", {"q": "小美"})) == []


@pytest.mark.parametrize("query", ["没有这个人", "%", "_", "\\", "\0", "'; --", "<b>", "x" * 5000])
def test_a_search_without_result_says_so_and_stays_whole(cast, log_in, query):
    answer = log_in(cast.lina).get("/a/members/", {"q": query})

    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()
    if query != "\0":
        assert 'id="members-empty"' in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [{"cursor": "x"}, {"shown": "-1"}, {"shown": "abc"}, {"shown": "９"}, {"cursor": "a" * 5000}],
)
def test_a_made_up_stretch_is_refused(cast, log_in, query):
    answer = log_in(cast.lina).get("/a/members/rows/", query, headers={"HX-Request": "true"})

    assert (answer.status_code, answer["X-Refusal"]) == (400, "core.invalid_input")


def test_a_cursor_of_another_guide_is_refused(cast, log_in):
    give_members(cast.wangfang, 25)
    path = next_stretch(log_in(cast.wangfang).get("/a/members/"))

    assert log_in(cast.lina).get(path).status_code == 400


# 会员详情 --------------------------------------------------------------------------------------------------


def test_the_member_page_masks_the_phone(cast, log_in):
    member = member_services.register_member(name="周敏", phone="13812345678", source="pos", actor=STAFF)
    bind(member, cast.lina)

    text = log_in(cast.lina).get(f"/a/members/{member.public_id}/").content.decode()

    assert "138 **** 5678" in text
    assert "12345678" not in text.replace(" ", "")


def test_the_member_page_tells_her_guides_newest_first(cast, log_in):
    guide_services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="member", reason="换店", actor=STAFF
    )

    history = (
        log_in(cast.wangfang).get(f"/a/members/{cast.xiaomei.public_id}/").context["page"].opened.part.history
    )

    assert [line.is_live for line in history] == [True, False]
    assert [line.title.split(" ")[0] for line in history] == ["王芳", "李娜"]


def test_another_guides_member_looks_exactly_like_an_unknown_id(cast, log_in):
    client = log_in(cast.wangfang)

    stranger = client.get(f"/a/members/{cast.xiaomei.public_id}/")
    unknown = client.get("/a/members/2222222222222222/")

    assert stranger.status_code == unknown.status_code == 404
    assert stranger.content == unknown.content
    assert dict(stranger.headers) == dict(unknown.headers)


def test_a_manager_opens_the_members_of_her_store_only(cast, log_in):
    client = log_in(cast.zhaoqiang)
    bind(cast.xiaoli, cast.chenjing)

    assert client.get(f"/a/members/{cast.xiaomei.public_id}/").status_code == 200
    assert client.get(f"/a/members/{cast.xiaoli.public_id}/").status_code == 404


# 我的码 ---------------------------------------------------------------------------------------------------


def test_my_code_draws_what_wechat_gave_and_counts(cast, log_in):
    give_ticket(cast.lina)

    answer = log_in(cast.lina).get("/a/my-code/")

    assert "<svg" in answer.content.decode()
    counts = answer.context["page"].counts
    assert (counts.scans, counts.follows, counts.bindings) == ("12", "5", "4")


def test_my_code_waits_for_wechat_and_asks_again(cast, log_in):
    client = log_in(cast.lina)

    assert 'data-reload-after="3"' in client.get("/a/my-code/").content.decode()
    for path in ("/a/my-code/poster.png", "/a/my-code/qr.png"):
        answer = client.get(path)
        assert (answer.status_code, answer["X-Refusal"]) == (503, "assistant.code_not_ready")


def test_my_code_without_a_code_says_whom_to_ask(cast, log_in):
    apps.get_model("guides", "ChannelCode").objects.filter(guide_id=cast.lina.id).update(
        closed_at=clock.now()
    )

    page = log_in(cast.lina).get("/a/my-code/").context["page"]

    assert (page.qr, page.has_code) == (None, False)


def scanned(answer: Any) -> str:
    picture = Image.open(io.BytesIO(answer.content)).convert("L")
    return str(zxingcpp.read_barcodes(picture)[0].text)


def test_the_poster_has_her_code_a_telling_name_and_is_drawn_once(cast, log_in):
    give_ticket(cast.lina)
    client = log_in(cast.lina)

    answer = client.get("/a/my-code/poster.png")

    assert answer["Content-Type"] == "image/png"
    assert scanned(answer) == TICKET_URL
    # 导购海报-李娜-南京东路店.png
    assert "%E5%AF%BC%E8%B4%AD%E6%B5%B7%E6%8A%A5-%E6%9D%8E%E5%A8%9C-" in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "private, no-cache"
    again = client.get("/a/my-code/poster.png", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_poster_follows_a_renewed_code(cast, log_in):
    give_ticket(cast.lina)
    client = log_in(cast.lina)
    old = client.get("/a/my-code/poster.png")["ETag"]
    apps.get_model("guides", "ChannelCode").objects.filter(guide_id=cast.lina.id).update(
        qr_url="http://weixin.qq.com/q/new"
    )

    answer = client.get("/a/my-code/poster.png", headers={"If-None-Match": old})

    assert answer.status_code == 200
    assert scanned(answer) == "http://weixin.qq.com/q/new"


def test_the_bare_code_can_be_downloaded(cast, log_in):
    give_ticket(cast.lina)

    assert scanned(log_in(cast.lina).get("/a/my-code/qr.png")) == TICKET_URL


# 我的 -----------------------------------------------------------------------------------------------------


def test_me_shows_the_store_with_todays_hours(cast, log_in):
    page = log_in(cast.lina).get("/a/me/").context["page"]

    assert (page.store_name, page.hours_today, page.phone_link) == (
        "南京东路店",
        "10:00-22:00",
        "02163220118",
    )


def test_an_unknown_address_has_the_look_of_the_rest(db, client):
    answer = client.get("/a/nothing/here/")

    assert answer.status_code == 404
    assert "assistant/assistant.css" in answer.content.decode()
