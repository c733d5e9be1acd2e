"""An order as whoever told it asks for it back: what it earned and took, and what waits."""

from sales.contracts import CouponNote, ToldOrder
from sales.models import HeldDocument, Sale, SaleCoupon


def find_told_order(*, source: str, order_no: str) -> ToldOrder | None:
    """The current revision of that order of that source."""
    sale = Sale.objects.current().filter(source=source, order_no=order_no.replace("\0", "")[:65]).first()
    if sale is None:
        return None
    coupons = SaleCoupon.objects.filter(sale=sale).order_by("code")
    return ToldOrder(
        sale_id=sale.pk,
        store_id=sale.store_id,
        revision=sale.revision,
        recorded_at=sale.recorded_at,
        points_taken=sale.points_taken,
        points_outcome=sale.points_outcome,
        points_earned=sale.points_earned,
        coupons=tuple(CouponNote(one.code, one.discount_fen, one.outcome) for one in coupons),
    )


def list_order_stores(*, source: str, order_nos: list[str]) -> dict[str, int]:
    """In which store each of these orders of that source was sold; unknown ones are missing."""
    rows = Sale.objects.current().filter(source=source, order_no__in=order_nos)
    return dict(rows.values_list("order_no", "store_id"))


def find_waiting_order(*, source: str, order_no: str) -> tuple[str, str] | None:
    """Why the last document of that order waits, and the store it names."""
    rows = HeldDocument.objects.waiting().filter(
        kind="order", source=source, number=order_no.replace("\0", "")[:65]
    )
    return rows.order_by("-pk").values_list("reason", "store_code").first()
