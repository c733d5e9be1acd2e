"""Coupons at head office's desk: the forms, the buttons, and who sees which rows."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from core.actor import Actor
from coupons import services
from coupons.models import Coupon, CouponBatch, CouponTemplate, PartnerCode, Redemption
from tests.cast import Cast
from tests.coupons.kit import claim, make_batch, make_template, order

BOSS = Actor.system("test")
FORM: dict[str, Any] = {
    "title": "周末券", "colour": "gold", "kind": "percent", "rate_bp": "8.5", "cap_fen": "50.5", "min_spend_fen": "200",
    "min_quantity": "0", "validity": "from_today", "valid_days": "7", "weekdays": ["5", "6"],
    "hours": "10:00-14:00，18:00-22:00", "include_categories": "shoes, bags", "gifting": "first",
}  # fmt: skip


def add(desk: Client, page: str, values: dict[str, Any], query: str = "") -> Any:
    return desk.post(reverse(f"admin:coupons_{page}_add") + query, values)


def errors_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def press(desk: Client, button: str, pk: int, **values: Any) -> Any:
    return desk.post(reverse(f"admin:coupons_{button}", args=[pk]), {"_confirmed": "1", **values})


def test_a_marketer_makes_a_template_in_yuan_and_zhe(desk: Client, cast: Cast) -> None:
    answer = add(desk, "coupontemplate", FORM | {"store_ids": [str(cast.store.id)]})
    assert answer.status_code == 302
    row = CouponTemplate.objects.get()
    assert (row.rate_bp, row.cap_fen, row.min_spend_fen) == (8_500, 5_050, 20_000)
    assert (row.weekdays, row.hours) == ([5, 6], ["10:00-14:00", "18:00-22:00"])
    assert (row.include_categories, row.store_ids) == (["shoes", "bags"], [cast.store.id])
    page = desk.get(reverse("admin:coupons_coupontemplate_change", args=[row.pk]))
    shown = page.content.decode()
    assert 'value="8.5"' in shown
    assert 'value="50.50"' in shown
    assert 'value="200"' in shown


@pytest.mark.parametrize(
    ("field", "values"),
    [("rate_bp", {"rate_bp": "12"}), ("rate_bp", {"rate_bp": ""}), ("off_fen", {"off_fen": "3"}),
     ("hours", {"hours": "9-10"}), ("valid_days", {"valid_days": "0"}), ("title", {"title": " "}),
     ("tier_ids", {"tier_ids": "gold"}), ("cap_fen", {"cap_fen": "x"}), ("store_ids", {"store_ids": ["987654"]})],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_its_field_with_all_kept(
    desk: Client, field: str, values: dict[str, Any]
) -> None:
    answer = add(desk, "coupontemplate", FORM | values)
    assert field in errors_of(answer)
    assert not CouponTemplate.objects.exists()


def test_frozen_terms_become_a_new_version(desk: Client) -> None:
    template = make_template(title="老券")
    make_batch(template_id=template)
    url = reverse("admin:coupons_coupontemplate_change", args=[template])
    values = {"title": "老券", "colour": "red", "kind": "cash_off", "off_fen": "20", "min_quantity": "0",
              "validity": "from_today", "valid_days": "7", "gifting": "nobody"}  # fmt: skip
    assert "off_fen" in errors_of(desk.post(url, values))
    go = press(desk, "coupontemplate_revise", template)
    assert go["Location"].endswith(f"?revise={template}")
    assert 'value="30"' in desk.get(go["Location"]).content.decode()
    add(desk, "coupontemplate", values, f"?revise={template}")
    assert list(CouponTemplate.objects.order_by("version").values_list("version", "off_fen")) == [
        (1, 3_000),
        (2, 2_000),
    ]
    press(desk, "coupontemplate_retire", template)
    assert CouponTemplate.objects.get(pk=template).state == "retired"


def test_a_batch_is_made_opened_extended_paused_voided_and_ended(desk: Client, cast: Cast) -> None:
    template = make_template()
    values = {"template": str(template), "name": "开业", "quota": "10", "doors": ["claim", "guide"],
              "budget_fen": "300", "guide_quota_period": "whole", "member_limit": ""}  # fmt: skip
    assert add(desk, "couponbatch", values).status_code == 302
    batch = CouponBatch.objects.get()
    assert (batch.quota, batch.budget_fen, batch.cost_fen, batch.doors) == (
        10,
        30_000,
        3_000,
        ["claim", "guide"],
    )
    press(desk, "couponbatch_open", batch.pk)
    for _ in range(3):
        claim(batch.pk, cast.xiaomei.id)
    press(desk, "couponbatch_extend", batch.pk, more="5")
    press(desk, "couponbatch_extend_money", batch.pk, more_fen="150")
    batch.refresh_from_db()
    assert (batch.quota, batch.budget_fen, batch.state) == (15, 45_000, "open")
    question = desk.get(reverse("admin:coupons_couponbatch_void", args=[batch.pk])).content.decode()
    assert "作废 3 张没用过的券，涉及 1 位会员" in question
    assert press(desk, "couponbatch_void", batch.pk, reason=" ").status_code == 200
    press(desk, "couponbatch_void", batch.pk, reason="活动取消")
    assert set(Coupon.objects.values_list("state", flat=True)) == {"voided"}
    press(desk, "couponbatch_pause", batch.pk)
    assert CouponBatch.objects.get().state == "paused"
    press(desk, "couponbatch_end", batch.pk)
    assert CouponBatch.objects.get().state == "ended"
    assert press(desk, "couponbatch_open", batch.pk).status_code == 200


def test_a_batch_without_a_door_is_told_so(desk: Client) -> None:
    values = {"template": str(make_template()), "name": "开业", "quota": "10", "guide_quota_period": "whole"}
    assert "doors" in errors_of(add(desk, "couponbatch", values))


def test_a_partners_codes_come_from_a_file(desk: Client) -> None:
    values = {"template": str(make_template()), "name": "合作", "quota": "0", "doors": ["claim"],
              "guide_quota_period": "whole", "partner_name": "咖啡店"}  # fmt: skip
    add(desk, "couponbatch", values)
    batch = CouponBatch.objects.get()
    file = SimpleUploadedFile("codes.txt", "\ufeffAA-1\r\nAA-2\r\nb d\r\n".encode())
    press(desk, "couponbatch_import_codes", batch.pk, file=file)
    assert list(PartnerCode.objects.order_by("pk").values_list("code", flat=True)) == ["AA-1", "AA-2"]


def test_a_coupon_is_found_by_code_or_holder_and_voided_with_a_reason(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    claim(make_batch(), cast.xiaoli.id)
    listed = reverse("admin:coupons_coupon_changelist")
    for query in (issued.code, issued.code.lower(), "小美"):
        found = desk.get(listed, {"q": query}).context["cl"].result_list
        assert [row.pk for row in found] == [issued.id], query
    press(desk, "coupon_void", issued.id, reason="发错了")
    assert Coupon.objects.get(pk=issued.id).state == "voided"
    shown = desk.get(reverse("admin:coupons_coupon_change", args=[issued.id])).content.decode()
    assert "发错了" in shown


def test_a_redemption_is_reversed_with_a_reason(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    services.redeem_coupon(code=issued.code, order=order(cast.store.id), request_id="r", actor=BOSS)
    row = Redemption.objects.get()
    assert press(desk, "redemption_reverse", row.pk, reason="", reversal_key="b").status_code == 200
    press(desk, "redemption_reverse", row.pk, reason="退货", reversal_key="b")
    assert Redemption.objects.get().reversed_at is not None
    assert Coupon.objects.get().state == "issued"


def test_a_region_sees_coupons_of_its_members_and_redemptions_of_its_stores(cast: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(content_type__app_label="coupons"))
    east = Client()
    east.force_login(cast.regional)
    batch = make_batch()
    hers, foreign = claim(batch, cast.xiaomei.id), claim(batch, cast.xiaoli.id)
    for issued, store in ((hers, cast.other_store), (foreign, cast.store)):
        services.redeem_coupon(code=issued.code, order=order(store.id), request_id=issued.code, actor=BOSS)
    coupons = east.get(reverse("admin:coupons_coupon_changelist")).context["cl"].result_list
    assert [row.pk for row in coupons] == [hers.id]
    seen = east.get(reverse("admin:coupons_redemption_changelist")).context["cl"].result_list
    assert [row.coupon_id for row in seen] == [foreign.id]
    assert east.get(reverse("admin:coupons_coupon_change", args=[foreign.id])).status_code == 302
    assert press(east, "coupon_void", foreign.id, reason="x").status_code == 302
    assert Coupon.objects.get(pk=foreign.id).state == "redeemed"
