"""素材 in the assistant: found, copied, on a poster; and the page that customers open, whom it counts and whom not."""

import io
import logging
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from assistant import readers
from campaigns.contracts.materials import ReaderMark
from campaigns.models import Material, MaterialReader, MaterialShare, MaterialVisit
from campaigns.services import material_shares, materials
from campaigns.services.material_pictures import store_picture
from core import clock
from core.models import StaffAccount
from guides import services as guide_services
from guides.models import ChannelCode
from tests.assistant.conftest import LogIn
from tests.campaigns.material_kit import (
    DAY,
    DESK,
    draft,
    log_in_guide,
    make_material,
    opened,
    picture,
    share_of,
    wechat,
)
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_batch
from tests.wechat.scripted_server import ScriptedServer, error, in_wechats_place, ok
from wechat.models import Account

pytestmark = pytest.mark.django_db
WECHAT = "Mozilla/5.0 (iPhone) AppleWebKit/605 MicroMessenger/8.0.50"
SAFARI = "Mozilla/5.0 (iPhone) AppleWebKit/605 Safari/604.1"


@pytest.fixture(autouse=True)
def _pictures_here(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def url(name: str, *args: Any) -> str:
    return reverse(f"assistant:{name}", args=args)


def public_id(pk: int) -> str:
    return Material.objects.values_list("public_id", flat=True).get(pk=pk)


def html(client: Client, address: str, **extra: Any) -> str:
    answer = client.get(address, **extra)
    assert answer.status_code == 200
    return answer.content.decode()


def with_picture(**values: Any) -> int:
    pk = materials.save_material(
        draft=draft(**values), pictures=[store_picture(stream=picture(1_200, 1_600))], actor=DESK
    )
    materials.publish_material(material_id=pk, actor=DESK)
    return pk


def phone(agent: str = SAFARI) -> Client:
    """A customer's phone."""
    return Client(headers={"User-Agent": agent})


def look(client: Client, token: str) -> Any:
    """She opens the link, and the page's script says that she sees it."""
    page = client.get(f"/m/{token}/")
    assert client.post(f"/m/{token}/seen/").status_code == 204
    return page


# In the guide's hands -----------------------------------------------------------------------------------------


def test_she_finds_it_searches_and_goes_on(
    cast: Cast, log_in: LogIn, django_assert_max_num_queries: Any
) -> None:
    for number in range(22):
        make_material(
            title=f"第{number}份", category="新品" if number % 2 else "搭配", at=clock.now() - number * DAY
        )
    mine = log_in(cast.lina)
    with django_assert_max_num_queries(12):
        page = mine.get(url("materials")).context["page"]
    assert [link.label for link in page.categories] == ["全部", "搭配", "新品"]
    assert (len(page.rows.list.rows), page.rows.list.rows[0].mark) == (20, "新")
    more = mine.get(page.rows.list.next_url).context["page"]
    assert ([row.title for row in more.list.rows], more.list.next_url) == (["第20份", "第21份"], "")
    assert "第21份" in html(mine, f"{url('materials')}?q=第21份&category=新品")
    assert "没有找到" in html(mine, f"{url('material-rows')}?q=没有这样的")
    assert "您还没有分享过素材" in html(mine, f"{url('materials')}?mine=1")
    for bad in ("?offset=-1", "?offset=x"):
        assert mine.get(f"{url('material-rows')}{bad}").status_code == 400
    assert "素材" in html(mine, url("me"))
    assert "3 份新的" in html(mine, url("me"))


def test_the_page_has_her_words_her_link_and_her_numbers(
    cast: Cast, log_in: LogIn, django_assert_max_num_queries: Any
) -> None:
    pk = with_picture(words="{门店}的{导购}为您留了一件", batch_id=make_batch())
    opened(share_of(pk, cast.lina), wechat("o-some-body"))
    mine = log_in(cast.lina)
    with django_assert_max_num_queries(14):
        page = mine.get(url("material", public_id(pk))).context["page"]
    assert page.words == "南京东路店的李娜为您留了一件"
    assert page.link.endswith(f"/m/{share_of(pk, cast.lina).token}/")
    assert page.both == f"{page.words}\n{page.link}"
    assert page.numbers == (("1", "浏览"), ("1", "访客"), ("0", "领券"), ("0", "订单"))
    other = log_in(cast.wangfang).get(url("material", public_id(pk))).context["page"]
    assert (other.link != page.link, other.numbers[0]) == (True, ("0", "浏览"))


def test_what_is_not_hers_to_share_is_not_found(cast: Cast, log_in: LogIn) -> None:
    theirs = make_material(store_id=cast.other_store.id)
    mine = log_in(cast.lina)
    for one in (public_id(theirs), "2" * 16, "x" * 300, "%00"):
        for name in ("material", "material-poster", "material-poster-file"):
            address = url(name, "A").replace("/A/", f"/{one}/")
            assert mine.get(address).status_code == 404
        assert mine.post(url("material-shared", "A").replace("/A/", f"/{one}/")).status_code == 404
    assert Client().get(url("materials")).status_code == 302


def test_what_she_took_stands_under_hers_and_stays_when_it_is_over(cast: Cast, log_in: LogIn) -> None:
    pk = make_material()
    mine = log_in(cast.lina)
    assert mine.get(url("material-shared", public_id(pk))).status_code == 405
    assert mine.post(url("material-shared", public_id(pk))).status_code == 204
    assert "还没有人打开" in html(mine, f"{url('materials')}?mine=1")
    materials.withdraw_material(material_id=pk, actor=DESK)
    page = html(mine, url("material", public_id(pk)))
    assert "发出去的链接打不开了" in page
    assert "data-copy" not in page
    assert mine.get(url("material-poster-file", public_id(pk))).status_code == 404
    assert "这份素材已经结束" in html(mine, url("material-poster", public_id(pk)))


@pytest.mark.parametrize("has_picture", [True, False])
def test_the_poster_has_the_code_of_her_own_link(cast: Cast, log_in: LogIn, has_picture: bool) -> None:
    pk = with_picture() if has_picture else make_material(title="一段很长很长很长很长很长很长很长很长的题目")
    mine = log_in(cast.lina)
    answer = mine.get(url("material-poster-file", public_id(pk)))
    poster = Image.open(io.BytesIO(answer.content))
    assert (poster.format, poster.size) == ("JPEG", (1_080, 1_920))
    [code] = zxingcpp.read_barcodes(poster.convert("L"))
    assert code.text.endswith(f"/m/{share_of(pk, cast.lina).token}/")
    again = mine.get(url("material-poster-file", public_id(pk)), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_behind_the_number_stands_the_material(cast: Cast, log_in: LogIn) -> None:
    opened(share_of(make_material(), cast.lina), wechat("o-some-body"))
    assert material_shares.count_open_shares(at=clock.now() + DAY) == 1
    mine = log_in(cast.lina)
    assert "素材分享" in html(mine, url("performance"))
    [row] = mine.get(f"{url('performance-facts')}?metric=share_count").context["page"].list.rows
    assert (row.title, row.value, row.words, row.url) == ("初秋通勤三件套", "+1", "素材分享", "")


# What customers open --------------------------------------------------------------------------------------------


def test_anybody_sees_it_and_it_counts_when_somebody_looks(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    pk = with_picture(text="第一行\n第二行", link_url="https://shop.example/autumn", batch_id=make_batch())
    share = share_of(pk, cast.lina)
    hers = phone()
    with django_assert_max_num_queries(14):
        page = html(hers, f"/m/{share.token}/")
    for words in ("初秋通勤三件套", "第二行", "李娜", "南京东路店", "https://shop.example/autumn", "满减券"):
        assert words in page
    assert "noindex" in page
    # A page that was only fetched, as machines do, is no view.
    assert not MaterialVisit.objects.exists()
    for _again in range(3):
        look(hers, share.token)
    look(phone(), share.token)
    row = MaterialShare.objects.get(pk=share.id)
    assert (row.view_count, row.visitor_count) == (2, 2)
    assert MaterialReader.objects.filter(is_known=True).count() == 0


def test_machines_guides_and_staff_are_no_visitors(cast: Cast, log_in: LogIn) -> None:
    token = share_of(make_material(), cast.lina).token
    robot = phone("Mozilla/5.0 (compatible; Baiduspider-render/2.0)")
    desk = phone()
    desk.force_login(StaffAccount.objects.get(pk=cast.head_office.pk))
    nobody = phone("")
    for client in (robot, desk, nobody, log_in(cast.lina), log_in(cast.wangfang)):
        client.defaults.setdefault("HTTP_USER_AGENT", SAFARI)
        assert look(client, token).status_code == 200
    without_page = phone()
    assert without_page.post(f"/m/{token}/seen/").status_code == 204
    assert phone().get(f"/m/{token}/seen/").status_code == 405
    assert not MaterialVisit.objects.exists()


def test_a_made_up_cookie_is_nobodys(cast: Cast) -> None:
    token = share_of(make_material(), cast.lina).token
    for value in ("x", "k.eA==", "%", secrets.token_hex(400)):
        client = phone()
        client.cookies["reader"] = value
        client.post(f"/m/{token}/seen/")
    assert not MaterialVisit.objects.exists()


def test_unknown_withdrawn_and_over_look_the_same(cast: Cast) -> None:
    over, withdrawn = make_material(), make_material()
    tokens = [share_of(pk, cast.lina).token for pk in (over, withdrawn)]
    Material.objects.filter(pk=over).update(ends_at=clock.now())
    materials.withdraw_material(material_id=withdrawn, actor=DESK)
    seen = set()
    for token in [*tokens, "2" * 16, "x" * 300, "%00", "back", "a b"]:
        for path in ("", "guide.png", "mini.jpg"):
            for agent in (SAFARI, WECHAT):
                answer = phone(agent).get(f"/m/{token}/{path}")
                assert answer.status_code == 404
                if not path:
                    seen.add((answer.content, answer["X-Refusal"], str(sorted(answer.cookies))))
        with_cookie = phone()
        readers_cookie(with_cookie)
        assert with_cookie.post(f"/m/{token}/seen/").status_code == 204
    assert len({content for content, _code, _cookies in seen}) == 1
    assert len(seen) == 1
    assert "这份内容已经结束" in phone().get("/m/2222/").content.decode()


def readers_cookie(client: Client) -> None:
    response = HttpResponse()
    readers.keep_reader(response, readers.new_browser())
    client.cookies["reader"] = response.cookies["reader"].value


def test_who_left_is_stood_for_by_her_store(cast: Cast) -> None:
    token = share_of(make_material(), cast.lina).token
    ChannelCode.objects.filter(guide_id=cast.lina.id).update(qr_url="http://weixin.qq.com/q/abc")
    assert "加李娜为专属导购" in html(phone(), f"/m/{token}/")
    assert phone().get(f"/m/{token}/guide.png")["Content-Type"] == "image/png"
    guide_services.leave_guide(guide_id=cast.lina.id, actor=DIRECTOR)
    page = html(phone(), f"/m/{token}/")
    assert "李娜" not in page
    assert "南京东路店" in page
    assert phone().get(f"/m/{token}/guide.png").status_code == 404


def test_only_pages_of_links_are_signed(cast: Cast) -> None:
    for address in ("", "https://evil.example/m/x/", "http://testserver/a/", "http://testserver/admin/"):
        assert phone().get(f"/m/signature/?url={address}").status_code == 404


# Inside WeChat ----------------------------------------------------------------------------------------------------


class Teller:
    """WeChat says that the code is this one's, or refuses it."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    def tell(self, openid: str) -> None:
        answer = ok(access_token="t", expires_in=7_200, refresh_token="r", openid=openid, scope="snsapi_base")
        self._server.script("/sns/oauth2/access_token", answer)

    def fail(self, errcode: int) -> None:
        self._server.script("/sns/oauth2/access_token", error(errcode))


@pytest.fixture
def scripted(transactional_db: None, settings: Settings) -> Iterator[Teller]:
    with in_wechats_place(settings) as server:
        yield Teller(server)


def test_without_an_account_she_reads_on_as_a_browser(cast: Cast) -> None:
    token = share_of(make_material(), cast.lina).token
    Account.objects.all().delete()
    client = phone(WECHAT)
    assert look(client, token).status_code == 200
    assert MaterialReader.objects.get().is_known is False


def test_a_phone_is_sent_to_wechat_once_and_comes_back_as_who_it_is(
    cast: Cast, settings: Settings, scripted: Teller, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    token = share_of(make_material(), cast.lina).token
    client = phone(WECHAT)
    away = client.get(f"/m/{token}/")
    assert away.status_code == 302
    asked = parse_qs(urlsplit(away["Location"]).query)
    assert asked["scope"] == ["snsapi_base"]
    assert urlsplit(asked["redirect_uri"][0]).path == f"/m/{token}/back/"
    scripted.tell(cast.xiaomei_openid)
    home = client.get(f"/m/{token}/back/?code=c1&state={asked['state'][0]}")
    assert re.fullmatch(rf"/m/{token}/\?w=\d+", home["Location"])
    assert look(client, token).status_code == 200
    assert MaterialReader.objects.get().member_id == cast.xiaomei.id
    assert MaterialVisit.objects.get().carries
    # On the next visit WeChat is not asked, for this link or another one.
    other = share_of(make_material(), cast.wangfang).token
    assert look(client, other).status_code == 200
    assert cast.xiaomei_openid not in str(client.cookies)
    assert cast.xiaomei_openid not in caplog.text


def test_a_foreign_state_is_nobodys_trip(cast: Cast, scripted: Teller) -> None:
    """A link that carries somebody's code must not make this phone that somebody."""
    token = share_of(make_material(), cast.lina).token
    scripted.tell(cast.xiaomei_openid)
    client = phone(WECHAT)
    for state in ("", "x" * 32):
        home = client.get(f"/m/{token}/back/?code=c1&state={state}")
        assert home.status_code == 302
        assert "reader" not in client.cookies
    client.get(f"/m/{token}/")
    client.get(f"/m/{token}/back/?code=c1&state={'x' * 32}")
    assert not MaterialReader.objects.exists()


def test_a_phone_without_cookies_is_not_sent_round_and_round(cast: Cast) -> None:
    token = share_of(make_material(), cast.lina).token
    now = int(clock.now().timestamp())
    assert phone(WECHAT).get(f"/m/{token}/?w={now}").status_code == 200
    # An old mark, passed on with the address, keeps nobody from being known.
    for mark in (str(now - 3_600), "x", "９", str(now + 999), "9" * 40):
        assert phone(WECHAT).get(f"/m/{token}/", {"w": mark}).status_code == 302


def test_when_wechat_does_not_answer_she_reads_on(cast: Cast, scripted: Teller) -> None:
    token = share_of(make_material(), cast.lina).token
    client = phone(WECHAT)
    asked = parse_qs(urlsplit(client.get(f"/m/{token}/")["Location"]).query)
    scripted.fail(40029)
    client.get(f"/m/{token}/back/?code=c1&state={asked['state'][0]}")
    assert look(client, token).status_code == 200
    assert MaterialReader.objects.get().is_known is False
    assert client.cookies["reader"]["max-age"] == 24 * 3_600  # asked again tomorrow


def test_a_guides_own_wechat_counts_nowhere(cast: Cast, scripted: Teller) -> None:
    log_in_guide(cast.lina, cast.xiaoli_openid)
    token = share_of(make_material(), cast.wangfang).token
    client = phone(WECHAT)
    asked = parse_qs(urlsplit(client.get(f"/m/{token}/")["Location"]).query)
    scripted.tell(cast.xiaoli_openid)
    client.get(f"/m/{token}/back/?code=c1&state={asked['state'][0]}")
    assert look(client, token).status_code == 200
    assert not MaterialVisit.objects.exists()


def test_the_cookie_says_who_it_is_to_us_alone() -> None:
    response = HttpResponse()
    readers.keep_reader(response, ReaderMark("wechat", "oplanted0000000000000000001", "wx1"))
    cookie = response.cookies["reader"]
    assert "oplanted" not in cookie.value
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/m/", True, "Lax")
