"""What a redemption's order bought, what came back of it, and what points pay."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, OnlyRow, Panel, money, name_actions, name_details, register_panel, when
from coupons.models import WHOLE_LINE, CouponReturn, PointsPayment, Redemption, RedemptionShare

name_actions(
    {
        "coupons.directed_issued": _("导购定向发券"),
        "coupons.order_returned": _("退货"),
        "coupons.order_undone": _("整单撤销"),
        "coupons.pointspayment.add": _("设置积分抵扣"),
        "coupons.pointspayment.change": _("修改积分抵扣"),
    }
)
name_details({"refund_fen": _("应退（分）"), "refused_count": _("没有发到")})


@admin.register(PointsPayment)
class PointsPaymentAdmin(OnlyRow, BaseAdmin):
    """One row for the chain."""

    fields = ("is_active", ("step", "fen_per_step"), ("max_share_bp", "max_points"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


def line_name(key: str, product: str) -> str:
    """A line in words: its product, or what stands for the whole order."""
    if key == WHOLE_LINE and not product:
        return _now("整单")
    return product or key


def _share_cells(share: RedemptionShare) -> Sequence[str]:
    line = share.line
    return (
        line_name(line.key, line.product),
        str(line.quantity),
        money(line.amount_fen),
        money(share.discount_fen),
        money(line.payable_fen),
    )


def _lines_panel(request: HttpRequest, redemption: Redemption) -> Panel | None:
    if redemption.order is None:
        return None
    shares = RedemptionShare.objects.filter(redemption=redemption).select_related("line").order_by("line_id")
    context = {
        "heads": (_("商品"), _("件数"), _("原价（元）"), _("本券优惠（元）"), _("应付（元）")),
        "rows": [_share_cells(share) for share in shares[:200]],
        "empty": _("没有商品明细"),
    }
    return Panel(_("商品与优惠分摊"), "admin/xiaoer/panel_table.html", context)


def _return_cells(row: CouponReturn) -> Sequence[str]:
    parts = "，".join(
        f"{line_name(part.line.key, part.line.product)} "
        + (_now("%(n)s 件") % {"n": part.quantity} if part.quantity else f"¥{money(part.amount_fen)}")
        for part in row.parts.all()
    )
    kind = _now("整单撤销") if row.is_undo else _now("退货")
    return (
        when(row.returned_at),
        kind,
        parts,
        money(row.refund_fen),
        money(row.discount_fen),
        row.reason or "—",
        row.actor or "—",
    )


def _returns_panel(request: HttpRequest, redemption: Redemption) -> Panel | None:
    if redemption.order is None:
        return None
    rows = CouponReturn.objects.filter(order=redemption.order).prefetch_related("parts__line").order_by("-pk")
    context = {
        "heads": (
            _("时间"),
            _("方式"),
            _("商品"),
            _("退款（元）"),
            _("收回优惠（元）"),
            _("原因"),
            _("操作者"),
        ),
        "rows": [_return_cells(row) for row in rows[:50]],
        "empty": _("还没有退货"),
    }
    return Panel(_("退货"), "admin/xiaoer/panel_table.html", context)


register_panel("coupons.Redemption", _lines_panel, order=10)
register_panel("coupons.Redemption", _returns_panel, order=20)
