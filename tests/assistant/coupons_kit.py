"""What the assistant's coupon tests share."""

from typing import Any

from core.actor import Actor
from coupons import services as coupon_services
from coupons.models import Coupon, CouponBatch
from guides import services as guide_services
from tests.cast import make_follower, openid_of
from tests.coupons.kit import claim, key, make_batch, make_template

HTMX = {"HX-Request": "true"}
KEY = "0123456789abcdef"


def public_id(batch: int) -> str:
    """How a batch is called in addresses."""
    return CouponBatch.objects.get(pk=batch).public_id


def guide_batch(title: str = "导购礼券", *, quota: int = 100, **values: Any) -> int:
    """A batch that guides give by hand and face to face; its id."""
    template: dict[str, Any] = values.pop("template", {})
    made = make_template(**({"title": title} | template))
    return make_batch(quota, template_id=made, **({"doors": ("guide", "face_to_face")} | values))


def members_of(guide: Any, count: int) -> list[Any]:
    """So many more members of a guide."""
    found = []
    for number in range(count):
        member = make_follower(f"会员{number}", openid_of(f"c{number}-{key()}"))
        guide_services.bind_member(
            member_id=member.id, guide_id=guide.id, source="scan", actor=Actor.wechat()
        )
        found.append(member)
    return found


def coupon_of(member: Any, **values: Any) -> Coupon:
    """A coupon in her hands."""
    issued = claim(make_batch(template_id=make_template(**values)), member.id)
    return Coupon.objects.get(pk=issued.id)


def redeem_for(guide: Any, member: Any, order_no: str = "A1") -> Any:
    """The guide redeemed one of hers."""
    return coupon_services.redeem_at_counter(
        code=coupon_of(member).code,
        guide_id=guide.id,
        order_no=order_no,
        amount_fen=20_000,
        discount_fen=None,
        request_key=key(),
        actor=Actor.guide(guide.id, guide.name),
    )
