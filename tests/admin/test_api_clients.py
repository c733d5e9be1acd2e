"""Keys of tills in the admin: made with a secret shown once, rotated, revoked; and redemptions with lines and returns."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from coupons import services as coupon_services
from coupons.contracts import ReturnedPart
from coupons.models import CouponOrder, PointsPayment, Redemption
from openapi.models import ApiClient, ApiRequest, ApiSecret
from tests.cast import Cast
from tests.coupons.kit import BOSS
from tests.coupons.test_orders import redeem, two_coupons

pytestmark = pytest.mark.django_db
FORM: dict[str, Any] = {
    "name": "一号机",
    "kind": "till",
    "scopes": ["verify", "redeem"],
    "per_minute": "600",
    "source": "pos",
}


def add(desk: Client, **values: Any) -> Any:
    return desk.post(reverse("admin:openapi_apiclient_add"), FORM | values)


def press(desk: Client, button: str, **values: Any) -> Any:
    client = ApiClient.objects.get()
    return desk.post(
        reverse(f"admin:openapi_apiclient_{button}", args=[client.pk]), {"_confirmed": "1", **values}
    )


def test_a_key_is_made_and_its_secret_shown_on_that_page_alone(desk: Client, cast: Cast) -> None:
    answer = add(desk, store=str(cast.store.id))
    secret = ApiSecret.objects.get().secret
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    row = ApiClient.objects.get()
    assert (row.store_id, sorted(row.scopes)) == (cast.store.id, ["redeem", "verify"])
    page = desk.get(reverse("admin:openapi_apiclient_change", args=[row.pk])).content.decode()
    assert row.key_id in page
    assert secret not in page
    assert "新建接口密钥" in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"name": " "}, "name"),
        ({"per_minute": "0"}, "per_minute"),
        ({"kind": "x"}, "kind"),
        ({"store": "1", "dealer": "1"}, "store"),
    ],
)
def test_a_key_that_makes_no_sense_is_told_at_its_field(
    desk: Client, values: dict[str, Any], field: str
) -> None:
    answer = add(desk, **values)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not ApiClient.objects.exists()


def test_what_a_key_may_is_changed_and_for_whom_it_acts_is_not(desk: Client, cast: Cast) -> None:
    add(desk, store=str(cast.store.id))
    row = ApiClient.objects.get()
    url = reverse("admin:openapi_apiclient_change", args=[row.pk])
    answer = desk.post(url, FORM | {"scopes": ["price"], "store": str(cast.other_store.id)})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.scopes, row.store_id) == (["price"], cast.store.id)


def test_a_secret_is_changed_with_an_overlap_and_a_key_revoked(desk: Client) -> None:
    add(desk)
    answer = press(desk, "rotate", overlap="24")
    newest = ApiSecret.objects.get(ends_at__isnull=True)
    assert newest.secret in answer.content.decode()
    assert ApiSecret.objects.count() == 2
    assert press(desk, "rotate", overlap="5").status_code == 200  # no such choice
    assert ApiSecret.objects.count() == 2
    assert press(desk, "revoke").status_code == 302
    row = ApiClient.objects.get()
    assert row.state == "revoked"
    page = desk.get(reverse("admin:openapi_apiclient_change", args=[row.pk])).content.decode()
    assert "/rotate" not in page


def test_the_log_is_filtered_by_outcome_and_key(desk: Client, full_chain: Cast) -> None:
    client = ApiClient.objects.get()
    url = reverse("admin:openapi_apirequest_changelist")
    ApiRequest.objects.create(
        client=client, at=client.created_at, method="POST", endpoint="/orders/redeem", status=409,
        code="coupons.coupon_redeemed", took_ms=12,
    )  # fmt: skip
    assert "12 毫秒" in desk.get(url, {"outcome": "refused"}).content.decode()
    assert "12 毫秒" not in desk.get(url, {"outcome": "ok"}).content.decode()
    assert "7 毫秒" not in desk.get(url, {"q": "coupons.coupon_redeemed"}).content.decode()


def test_keys_are_head_offices(cast: Cast, full_chain: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(content_type__app_label="openapi"))
    east = Client()
    east.force_login(cast.regional)
    row = ApiClient.objects.get()
    assert row.key_id not in east.get(reverse("admin:openapi_apiclient_changelist")).content.decode()
    assert east.get(reverse("admin:openapi_apiclient_change", args=[row.pk])).status_code == 302
    assert "/ping" not in east.get(reverse("admin:openapi_apirequest_changelist")).content.decode()
    answer = add(east, store=str(cast.store.id))
    assert answer.status_code != 302
    assert ApiClient.objects.count() == 1


def test_a_redemption_shows_its_lines_and_returns_and_is_taken_back_with_its_order(
    desk: Client, cast: Cast
) -> None:
    _member, coupons = two_coupons()
    redeem(cast.store.id, coupons)
    coupon_services.return_order(
        store_id=cast.store.id, order_no="S1", parts=[ReturnedPart("2", quantity=1)], return_key="k",
        reason="不合身", actor=BOSS,
    )  # fmt: skip
    row = Redemption.objects.order_by("pk").first()
    assert row is not None
    page = desk.get(reverse("admin:coupons_redemption_change", args=[row.pk])).content.decode()
    for words in ("商品与优惠分摊", "shirt", "shoes 1 件", "不合身", "部分退货"):
        assert words in page, words
    url = reverse("admin:coupons_redemption_reverse", args=[row.pk])
    assert "2 张券会一起撤销" in desk.get(url).content.decode()
    answer = desk.post(url, {"_confirmed": "1", "reason": "录错了", "reversal_key": "k2"})
    assert answer.status_code == 302
    assert CouponOrder.objects.get().ended_at is not None
    assert not Redemption.objects.filter(reversed_at__isnull=True).exists()


def test_paying_with_points_is_switched_on_in_one_row(desk: Client) -> None:
    url = reverse("admin:coupons_pointspayment_add")
    form = {"is_active": "on", "step": "100", "fen_per_step": "100", "max_share_bp": "5000", "max_points": ""}
    assert desk.post(url, form).status_code == 302
    assert PointsPayment.objects.get().is_active
    PointsPayment.objects.all().delete()
    assert desk.post(url, form | {"max_share_bp": "10001"}).status_code == 200
