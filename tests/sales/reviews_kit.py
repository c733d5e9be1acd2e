"""A chain that asks its members what they think of a purchase, and one who was asked."""

from typing import Any

from members.contracts import MemberCard
from sales import services
from sales.models import PurchaseCare, Review
from tests.sales.kit import TILL, key_of, order, tell


def ask_at_once(**values: Any) -> PurchaseCare:
    """Members are asked right after a purchase; two and less becomes a repair."""
    given = {"is_review_on": True, "review_after_hours": 0, "low_score_kind": "repair"} | values
    row, _is_new = PurchaseCare.objects.update_or_create(pk=1, defaults=given)
    return row


def make_review(member: MemberCard, order_no: str = "O1", **other: Any) -> Review:
    """She bought something in T01 and is asked what she thinks of it."""
    tell(order(order_no, **{"member": key_of(member)} | other))
    services.work_purchase_care(actor=TILL)
    services.work_reviews()
    return Review.objects.get(sale__order_no=order_no)
