"""核销 over HTTP: find, see, redeem, the result in large, and the way back; bad amounts; others' redemptions."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from coupons import services as coupon_services
from coupons.models import Coupon, Redemption
from guides import services as guide_services
from sales.models import Category
from tests.assistant.coupons_kit import HTMX, KEY, coupon_of, members_of, redeem_for
from tests.cast import Cast, make_guide, make_store
from tests.coupons.kit import BOSS
from tests.wechat.gateway_out import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

FORM = {"order_no": "A1001", "amount": "200", "discount": "", "request_key": KEY}


def find(client: Any, text: str, key: str = KEY) -> Any:
    return client.post("/a/coupons/redeem/find/", {"code": text, "request_key": key}, headers=HTMX)


def redeem(client: Any, coupon: Coupon, **values: str) -> Any:
    return client.post("/a/coupons/redeem/now/", FORM | {"code": coupon.code} | values, headers=HTMX)


def quote(client: Any, coupon: Coupon, trigger: str = "amount", **values: str) -> Any:
    headers = HTMX | {"HX-Trigger-Name": trigger}
    return client.post("/a/coupons/redeem/quote/", FORM | {"code": coupon.code} | values, headers=headers)


# The page --------------------------------------------------------------------------------------------------


def test_only_the_scanners_page_may_use_the_camera(cast: Cast, log_in: Any) -> None:
    client = log_in(cast.lina)
    page, other = client.get("/a/coupons/redeem/"), client.get("/a/coupons/")
    assert "camera=(self)" in page["Permissions-Policy"]
    assert "'wasm-unsafe-eval'" in page["Content-Security-Policy"]
    assert "camera=()" in other["Permissions-Policy"]
    assert "wasm" not in other["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    for heavy in (b"weixin-js-sdk", b"barcode-detector", b"zxing"):
        assert heavy not in other.content
        assert b'src="/static/vendor/%s' % heavy not in page.content  # loaded when it is needed


def test_the_page_knows_whether_it_is_inside_wechat(cast: Cast, log_in: Any) -> None:
    client = log_in(cast.lina)
    inside = client.get("/a/coupons/redeem/", headers={"User-Agent": "Mozilla/5.0 MicroMessenger/8.0.50"})
    assert b'data-wechat="yes"' in inside.content
    assert b'data-wechat="no"' in client.get("/a/coupons/redeem/").content


@pytest.mark.django_db(transaction=True)
def test_the_page_is_signed_for_wechat_and_no_other_sites_is(
    log_in: Any, sandbox: Sandbox, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = "https://shop.test"
    region = guide_services.open_region(name="全国", actor=BOSS)
    client = log_in(make_guide("T001", "李娜", make_store("T01", "南京东路店", region.id).id))
    own = client.get("/a/coupons/redeem/signature/", {"url": "https://shop.test/a/coupons/redeem/?from=x"})
    assert own.json().keys() == {"appId", "timestamp", "nonceStr", "signature"}
    assert own.json()["appId"] == sandbox.app_id
    foreign = client.get("/a/coupons/redeem/signature/", {"url": "https://evil.test/a/"})
    assert foreign.status_code >= 400
    assert b"signature" not in foreign.content


# Find ------------------------------------------------------------------------------------------------------


def test_the_coupon_is_shown_with_its_worth_conditions_and_a_masked_owner(cast: Cast, log_in: Any) -> None:
    coupon = coupon_of(cast.xiaomei, min_spend_fen=20_000, is_exclusive=True, usage_words="特价不能用")
    answer = find(log_in(cast.lina), coupon.code.lower())
    page, text = answer.context["page"], answer.content.decode()
    assert (page.face.worth, page.face.threshold, page.reasons) == ("¥30", "满 200 可用", ())
    assert page.conditions == ("不能和其他券一起用", "特价不能用")
    assert page.owner.startswith("小**")
    assert cast.xiaomei.display_name not in text


def test_goods_a_coupon_is_for_are_named_at_the_counter(cast: Cast, log_in: Any) -> None:
    Category.objects.create(code="knit", name="针织")
    coupon = coupon_of(cast.xiaomei, include_categories=("knit", "odd"), exclude_products=("A1",))
    assert find(log_in(cast.lina), coupon.code).context["page"].conditions == (
        "只限类目 针织、odd，金额按这些商品填",
        "A1不能用，金额不含这些商品",
    )


def test_a_coupon_that_may_not_be_used_says_all_why_in_large(cast: Cast, log_in: Any) -> None:
    coupon = coupon_of(cast.xiaomei, store_ids=(cast.other_store.id,))
    coupon_services.void_coupon(coupon_id=coupon.pk, reason="试", actor=BOSS)
    page = find(log_in(cast.lina), coupon.code)
    assert page.context["page"].reasons == ("这张券已经作废", "这张券不能在这家门店使用")
    assert 'class="board board_no"' in page.content.decode()
    assert 'id="till"' not in page.content.decode()


@pytest.mark.parametrize("text", ["", "ABCD", "<b>券", "80" + "1" * 18, "81" + "1" * 18, "A" * 600])
def test_a_code_that_is_none_keeps_what_was_typed(cast: Cast, log_in: Any, text: str) -> None:
    answer = find(log_in(cast.lina), text)
    assert (answer.status_code, answer.context["page"].typed) == (200, text[:60])
    assert answer["X-Refusal"].startswith("coupons.")
    assert 'role="alert"' in answer.content.decode()
    assert "<b>" not in answer.content.decode()


def test_a_screens_code_is_read_once_and_the_same_tap_reads_the_same(cast: Cast, log_in: Any) -> None:
    coupon, client = coupon_of(cast.xiaomei), log_in(cast.lina)
    shown = coupon_services.show_coupon(coupon_id=coupon.pk, member_id=cast.xiaomei.id, actor=BOSS)
    assert [find(client, shown.text).context["page"].code for _ in range(2)] == [coupon.code] * 2
    assert find(client, shown.text, KEY + "1")["X-Refusal"] == "coupons.code_unusable"


def test_finding_asks_the_database_little(
    cast: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    coupon, client = coupon_of(cast.xiaomei), log_in(cast.lina)
    with django_assert_max_num_queries(12):
        find(client, coupon.code)
    with django_assert_max_num_queries(12):
        quote(client, coupon)


# The sum ---------------------------------------------------------------------------------------------------


def test_the_discount_is_shown_before_she_confirms(cast: Cast, log_in: Any) -> None:
    coupon, client = coupon_of(cast.xiaomei, min_spend_fen=20_000), log_in(cast.lina)
    page = quote(client, coupon, amount="258.5")
    assert (page.context["page"].quote.text, page.context["page"].quote.discount) == (
        "减 ¥30.00，实收 ¥228.50",
        "30.00",
    )
    assert 'id="discount"' in page.content.decode()
    lowered = quote(client, coupon, "discount", amount="258.5", discount="10")
    assert lowered.context["page"].quote.text == "减 ¥10.00，实收 ¥248.50"
    assert 'id="discount"' not in lowered.content.decode()
    assert quote(client, coupon, amount="150").context["page"].quote.warnings == (
        "满 ¥200 才能用，还差 ¥50.00",
    )
    too_much = quote(client, coupon, "discount", discount="31")
    assert too_much.context["page"].quote.warnings == ("这张券最多减 ¥30",)
    assert quote(client, coupon, "discount", discount="201").context["page"].quote.warnings
    assert quote(client, coupon, amount="").context["page"].quote.text == ""


def test_a_price_that_only_the_goods_tell_is_typed_and_kept(cast: Cast, log_in: Any) -> None:
    coupon = coupon_of(cast.xiaomei, kind="fixed_price", price_fen=9_900, units=1, off_fen=None)
    client = log_in(cast.lina)
    assert find(client, coupon.code).context["page"].wants_discount
    page = quote(client, coupon, amount="300", discount="80", by_goods="1")
    assert page.context["page"].quote.text == "减 ¥80.00，实收 ¥220.00"
    assert redeem(client, coupon, amount="300")["X-Refusal"] == "coupons.discount_missing"
    assert redeem(client, coupon, amount="300", discount="80").status_code == 204


# Redeem ----------------------------------------------------------------------------------------------------


def test_redeeming_opens_the_result_and_the_same_tap_opens_the_same(cast: Cast, log_in: Any) -> None:
    coupon, client = coupon_of(cast.xiaomei), log_in(cast.lina)
    paths = {redeem(client, coupon)["HX-Redirect"] for _ in range(2)}
    assert len(paths) == 1
    page = client.get(paths.pop()).context["page"]
    assert (page.headline, page.off_text, page.is_live, page.may_undo) == (
        "核销成功",
        "减 ¥30.00",
        True,
        True,
    )
    row = Redemption.objects.get()
    assert (row.store_id, row.redeemed_by_guide_id, row.order_no) == (cast.store.id, cast.lina.id, "A1001")
    assert (row.amount_fen, row.discount_fen) == (20_000, 3_000)


def test_a_reason_nothing_typed_can_mend_is_shown_in_red(cast: Cast, log_in: Any) -> None:
    coupon, client = coupon_of(cast.xiaomei), log_in(cast.lina)
    redeem(client, coupon)
    answer = redeem(client, coupon, request_key=KEY + "1")
    assert (answer.status_code, answer["X-Refusal"]) == (200, "coupons.coupon_redeemed")
    assert answer["HX-Retarget"] == "#redeem-step"
    assert "board_no" in answer.content.decode()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount": ""}, "core.invalid_input"),
        ({"amount": "0"}, "coupons.amount_unusable"),
        ({"amount": "-200"}, "coupons.amount_unusable"),
        ({"amount": "200.005"}, "coupons.amount_unusable"),
        ({"amount": "1e5"}, "coupons.amount_unusable"),
        ({"amount": "二百"}, "coupons.amount_unusable"),
        ({"amount": "NaN"}, "coupons.amount_unusable"),
        ({"amount": "99999999"}, "coupons.amount_unusable"),
        ({"amount": "9" * 30}, "coupons.amount_unusable"),
        ({"amount": "1,2,3"}, "coupons.amount_unusable"),
        ({"discount": "-1"}, "coupons.amount_unusable"),
        ({"discount": "0"}, "coupons.discount_missing"),
        ({"discount": "30.01"}, "coupons.discount_too_high"),
        ({"amount": "20", "discount": "25"}, "coupons.discount_too_high"),
        ({"order_no": ""}, "coupons.order_unusable"),
        ({"order_no": "x" * 65}, "coupons.order_unusable"),
        ({"order_no": "a\0b"}, "coupons.order_unusable"),
        ({"quantity": "-1"}, "core.invalid_input"),
        ({"request_key": ""}, "core.invalid_input"),
    ],
)
def test_what_cannot_be_is_refused_and_the_form_stays(
    cast: Cast, log_in: Any, values: dict[str, str], code: str
) -> None:
    coupon = coupon_of(cast.xiaomei)
    answer = redeem(log_in(cast.lina), coupon, **values)
    assert (answer.status_code, answer["X-Refusal"]) == (400, code)
    assert not Redemption.objects.exists()


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("200", 20_000), ("1,299.50", 129_950), ("￥30", 3_000), ("１９９．９", 19_990), (" 8. ", 800)],
)
def test_amounts_are_read_as_people_type_them(cast: Cast, log_in: Any, typed: str, fen: int) -> None:
    coupon = coupon_of(cast.xiaomei, off_fen=100)
    assert redeem(log_in(cast.lina), coupon, amount=typed).status_code == 204
    assert Redemption.objects.get().amount_fen == fen


def test_below_the_threshold_the_form_stays_with_a_sentence(cast: Cast, log_in: Any) -> None:
    answer = redeem(log_in(cast.lina), coupon_of(cast.xiaomei, min_spend_fen=30_000))
    assert (answer.status_code, answer["X-Refusal"]) == (409, "coupons.below_minimum_spend")
    assert "HX-Retarget" not in answer


# The day's list and the way back --------------------------------------------------------------------------


def test_the_day_shows_the_stores_and_mine(cast: Cast, log_in: Any) -> None:
    redeem_for(cast.lina, cast.xiaomei, "A1")
    redeem_for(cast.wangfang, cast.xiaomei, "A2")
    redeem_for(cast.chenjing, cast.xiaomei, "A3")
    client = log_in(cast.lina)
    page = client.get("/a/coupons/redemptions/").context["page"]
    assert (page.title, page.redeemed, page.discount, page.sales) == ("今日核销", "2", "¥60", "¥400")
    assert [("A2" in row.note, row.foot, row.may_undo) for row in page.list.rows] == [
        (True, "12:00 · 王芳", True),
        (False, "12:00 · 李娜", True),
    ]
    mine = client.get("/a/coupons/redemptions/?who=mine").context["page"]
    assert (mine.redeemed, len(mine.list.rows)) == ("1", 1)
    assert (page.earlier, page.later) == (None, None)


def test_a_manager_looks_back_and_a_guide_does_not(cast: Cast, log_in: Any) -> None:
    redeem_for(cast.lina, cast.xiaomei)
    yesterday = clock.today() - dt.timedelta(days=1)
    Redemption.objects.update(redeemed_at=clock.now() - dt.timedelta(days=1))
    path = f"/a/coupons/redemptions/?day={yesterday}"
    manager = log_in(cast.zhaoqiang)
    page = manager.get(path).context["page"]
    assert (page.redeemed, page.title, page.later.label) == ("1", "3月10日核销", "后一天")
    assert manager.get("/a/coupons/redemptions/").context["page"].redeemed == "0"
    assert log_in(cast.lina).get(path).status_code == 404
    for odd in ("2026-03-12", "1999-01-01", "x", "\0"):
        assert manager.get("/a/coupons/redemptions/", {"day": odd}).status_code in {200, 404}


def test_a_colleague_takes_it_back_with_a_reason_and_the_coupon_is_good_again(
    cast: Cast, log_in: Any
) -> None:
    done = redeem_for(cast.lina, cast.xiaomei)
    client, url = log_in(cast.wangfang), f"/a/coupons/redemptions/{done.id}/"
    sheet = client.get(f"{url}undo/", headers=HTMX).context["page"]
    assert "¥30.00" in sheet.hint
    bare = client.post(f"{url}undo/", {"request_key": sheet.request_key}, headers=HTMX)
    assert (bare.status_code, bare["X-Refusal"]) == (400, "coupons.reason_missing")
    sent = {"reason": sheet.reasons[0].value, "words": "输错了", "request_key": sheet.request_key}
    assert [client.post(f"{url}undo/", sent, headers=HTMX)["HX-Redirect"] for _ in range(2)] == [url, url]
    page = client.get(url).context["page"]
    assert (page.headline, page.hint, page.may_undo) == ("已撤销", "券已退回给会员", False)
    assert any(fact.value == "订单或金额填错了：输错了" for fact in page.facts)
    assert Coupon.objects.get(pk=done.coupon_id).state == "issued"
    late = client.post(f"{url}undo/", sent | {"request_key": KEY}, headers=HTMX)
    assert late["X-Refusal"] == "coupons.already_reversed"


def test_anothers_stores_redemption_is_unknown(cast: Cast, log_in: Any) -> None:
    done = redeem_for(cast.lina, cast.xiaomei)
    client = log_in(cast.chenjing)
    for path in (f"/a/coupons/redemptions/{done.id}/", f"/a/coupons/redemptions/{done.id}/undo/"):
        foreign, unknown = client.get(path), client.get(path.replace(str(done.id), "99999999999999999999"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign["X-Refusal"] == unknown["X-Refusal"] == "coupons.no_such_redemption"
    sent = {"reason": "试", "request_key": KEY}
    assert client.post(f"/a/coupons/redemptions/{done.id}/undo/", sent, headers=HTMX).status_code == 404
    assert Redemption.objects.get().reversed_at is None


def test_yesterdays_redemption_is_not_undone_here(cast: Cast, log_in: Any) -> None:
    done = redeem_for(cast.lina, members_of(cast.lina, 1)[0])
    Redemption.objects.update(recorded_at=clock.now() - dt.timedelta(days=1))
    client = log_in(cast.lina)
    assert not client.get(f"/a/coupons/redemptions/{done.id}/").context["page"].may_undo
    answer = client.post(
        f"/a/coupons/redemptions/{done.id}/undo/", {"reason": "试", "request_key": KEY}, headers=HTMX
    )
    assert answer["X-Refusal"] == "coupons.undo_too_late"
