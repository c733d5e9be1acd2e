"""Coupons under a thumb: picked, confirmed and given once; redeemed, refused and taken back; a code that runs out."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from assistant.qr import draw_image
from coupons.models import Coupon, CouponBatch, DirectedIssue, Redemption
from guides.models import ChannelCode
from tests.assistant.coupons_kit import coupon_of, guide_batch, members_of, redeem_for
from tests.assistant.test_browser import chromium, phone  # noqa: F401
from tests.browser import ARGUMENTS, CHROMIUM, needs_browser
from tests.cast import Cast

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]

TAP_TWICE = "(button) => { button.click(); button.click() }"


def test_a_coupon_is_given_in_three_taps_and_redeemed_at_the_counter(
    cast: Cast,
    phone: Page,  # noqa: F811
) -> None:
    batch = guide_batch("礼券", guide_quota=10, template={"min_spend_fen": 20_000})
    members_of(cast.lina, 3)
    phone.goto("/a/coupons/")
    phone.locator("a.offer").click()
    phone.locator("[data-pick]").nth(0).check()
    phone.locator(".search__input").fill("xiaomei")
    expect(phone.locator("[data-pick]")).to_have_count(1)
    phone.locator("[data-pick]").check()
    expect(phone.locator("[data-pick-count]")).to_have_text("2")
    phone.reload()
    expect(phone.locator("[data-pick-count]")).to_have_text("2")
    phone.locator(".bar__go").click()
    give = phone.locator(".sheet__form .weui-btn")
    expect(give).to_have_text("确认发 2 张")
    give.evaluate(TAP_TWICE)
    phone.wait_for_url("**/results/**")
    expect(phone.locator(".verdict__title")).to_have_text("已发放 2 张")
    assert (DirectedIssue.objects.count(), Coupon.objects.filter(batch_id=batch).count()) == (1, 2)

    code = Coupon.objects.filter(member_id=cast.xiaomei.id).get().code
    phone.goto("/a/coupons/redeem/")
    phone.locator("[data-scan]").click()
    expect(phone.locator("[data-camera-note]")).to_contain_text("请手动输入券码")
    phone.locator("#coupon-code").press_sequentially(code.lower())
    assert phone.locator("#coupon-code").input_value().count(" ") == 3
    phone.get_by_role("button", name="查券").click()
    phone.locator("input[name=order_no]").fill("A1")
    phone.locator("input[name=amount]").fill("150")
    expect(phone.locator(".quote__warning")).to_have_text("满 ¥200 才能用，还差 ¥50.00")
    phone.get_by_role("button", name="确认核销").click()
    expect(phone.locator(".notice")).to_be_visible()
    expect(phone.locator("input[name=order_no]")).to_have_value("A1")
    phone.locator("input[name=amount]").fill("258.50")
    expect(phone.locator(".quote__text")).to_have_text("减 ¥30.00，实收 ¥228.50")
    phone.get_by_role("button", name="确认核销").evaluate(TAP_TWICE)
    phone.wait_for_url("**/redemptions/*/")
    expect(phone.locator(".board_yes .board__title")).to_have_text("核销成功")

    phone.get_by_role("button", name="撤销核销").click()
    phone.locator(".sheet .pick__one").first.click()
    phone.get_by_role("button", name="确认撤销").click()
    expect(phone.locator(".board_off .board__title")).to_have_text("已撤销")
    assert Redemption.objects.get().reversed_at is not None


def test_a_face_to_face_code_counts_down_and_ends(cast: Cast, phone: Page) -> None:  # noqa: F811
    guide_batch()
    phone.goto("/a/coupons/faces/")
    phone.locator(".offer__open").click()
    phone.wait_for_url("**/faces/*/")
    expect(phone.locator(".show__qr_wait")).to_be_visible()
    ChannelCode.objects.update(qr_url="http://weixin.qq.com/q/f2f", ticket="t")
    expect(phone.locator(".show__qr svg")).to_be_visible()
    first: Any = phone.locator("[data-clock]").inner_text()
    expect(phone.locator("[data-clock]")).not_to_have_text(first)
    phone.get_by_role("button", name="结束").click()
    expect(phone.locator(".show__qr_over")).to_be_visible()


@pytest.mark.parametrize("width", [320, 375])
def test_pages_fit_the_screen_and_targets_are_large(cast: Cast, phone: Page, width: int) -> None:  # noqa: F811
    batch = guide_batch("二十个字长的券名称看它在窄屏上怎么折行", template={"min_spend_fen": 12_345_678})
    coupon_of(cast.xiaomei, title="二十个字长的券名称看它在窄屏上怎么折行", valid_days=2)
    done = redeem_for(cast.lina, cast.xiaomei, "订单号也可以很长" * 8)
    public = CouponBatch.objects.get(pk=batch).public_id
    phone.set_viewport_size({"width": width, "height": 700})
    for path in (
        "/a/",
        "/a/coupons/",
        f"/a/coupons/batches/{public}/",
        "/a/coupons/given/",
        "/a/coupons/redeem/",
        "/a/coupons/redemptions/",
        f"/a/coupons/redemptions/{done.id}/",
        "/a/coupons/faces/",
        f"/a/members/{cast.xiaomei.public_id}/?tab=coupons",
    ):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") == width, path
        heights = phone.eval_on_selector_all(
            "main a, main button, main select",
            "all => all.filter(one => one.offsetParent).map(one => one.getBoundingClientRect().height)",
        )
        assert round(min(heights, default=44)) >= 44, path


def test_the_camera_reads_a_code_where_the_browser_cannot_itself(
    cast: Cast,
    log_in: Any,
    live_server: Any,
    chromium: Any,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Chromium on Linux has no reader of its own: the package is loaded then and there, within the content policy."""
    coupon = coupon_of(cast.xiaomei)
    video = tmp_path / "code.y4m"
    video.write_bytes(_film(coupon.code))
    camera = chromium.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            *ARGUMENTS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={video}",
        ],
    )  # fmt: skip
    page = camera.new_context(base_url=live_server.url, permissions=["camera"]).new_page()
    session = log_in(cast.lina).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto("/a/coupons/redeem/")
    page.locator("[data-scan]").click()
    expect(page.locator("#till input[name=code]")).to_have_value(coupon.code)
    camera.close()


def _film(text: str) -> bytes:
    """Two pictures of a QR code as YUV4MPEG2, which Chromium plays in place of a camera."""
    picture = Image.new("L", (640, 480), 200)
    code = draw_image(text, size=440).convert("L")
    picture.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
    frame = b"FRAME\n" + picture.tobytes() + bytes([128]) * (320 * 240 * 2)
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420mpeg2\n" + frame * 2
