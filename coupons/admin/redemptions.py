"""What coupons were used for, and taking a use back."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import codes
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DaysFilter,
    Exports,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    bound_data,
    column,
    first_found,
    money,
    name_actions,
    operation,
    staff_actor,
    when,
)
from core.codes import new_public_id
from coupons import services
from coupons.admin.coupons import ReasonForm, may_see_codes, shown_code
from coupons.contracts import ReturnCard
from coupons.models import CouponReturn, CouponState, Redemption
from coupons.selectors.coupons import CODE_LENGTH
from coupons.selectors.faces import channel_words
from members import selectors as member_selectors

name_actions(
    {
        "coupons.redeemed": _("核销"),
        "coupons.redemption_reversed": _("撤销核销"),
        "coupons.redemption_exported": _("导出核销记录"),
    }
)


class StandingFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "stands"
    options = (("live", _("已核销")), ("reversed", _("已撤销")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"live", "reversed"}:
            return queryset
        return queryset.filter(reversed_at__isnull=self.value() == "live")


class ReversalForm(ReasonForm):
    reversal_key = forms.CharField(widget=forms.HiddenInput, max_length=80)


@admin.register(Redemption)
class RedemptionAdmin(Exports, TypedSearch, ScopedReadOnlyAdmin):
    """Uses of coupons, the newest first."""

    list_display = ("order_no", "store", "coupon_words", "amount", "discount", "moment", "state_label")
    list_select_related = ("store", "order", "coupon__batch__template", "coupon__member", "redeemed_by_guide")
    list_filter = (
        StandingFilter,
        ("store", AutocompleteFilter),
        ("redeemed_by_guide", AutocompleteFilter),
        ("redeemed_at", DaysFilter),
    )
    search_fields = ("order_no",)
    search_help_text = _("订单号、完整券码，或会员姓名、手机号或尾号、会员码")
    ordering = ("-pk",)
    actions_detail = ("reverse",)
    fieldsets = (
        (None, {"fields": (("order_no", "state_label"), ("store", "till"), ("channel_label", "coupon"))}),
        (_("金额"), {"fields": (("amount", "discount"), ("returned", "returned_discount"))}),
        (_("时间"), {"fields": (("moment", "recorded"), "redeemed_by_guide")}),
        (_("撤销"), {"fields": (("taken_back", "reversal_reason"),)}),
    )

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "coupons_redemption_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        code = codes.normalize(text[:40])
        if len(code) == CODE_LENGTH and codes.is_code(code, CODE_LENGTH):
            return queryset.filter(coupon__code=code)
        return first_found(
            queryset.filter(order_no__istartswith=text),
            queryset.filter(coupon__member_id__in=member_selectors.search_member_ids(text)),
        )

    @column(_("券"), ordering="coupon__batch")
    def coupon_words(self, row: Redemption) -> str:
        return f"{row.coupon.batch.template.title} {row.coupon}"

    @column(_("订单金额（元）"), ordering="amount_fen")
    def amount(self, row: Redemption) -> str:
        return money(row.amount_fen)

    @column(_("优惠金额（元）"), ordering="discount_fen")
    def discount(self, row: Redemption) -> str:
        return money(row.discount_fen)

    @column(_("已退货金额（元）"))
    def returned(self, row: Redemption) -> str:
        return money(row.returned_fen)

    @column(_("已收回优惠（元）"))
    def returned_discount(self, row: Redemption) -> str:
        return money(row.returned_discount_fen)

    @column(_("渠道"), ordering="channel")
    def channel_label(self, row: Redemption) -> str:
        return channel_words(row.channel)

    @column(_("核销时间"), ordering="redeemed_at")
    def moment(self, row: Redemption) -> str:
        return when(row.redeemed_at)

    @column(_("记录时间"), ordering="recorded_at")
    def recorded(self, row: Redemption) -> str:
        return when(row.recorded_at)

    @column(_("撤销时间"))
    def taken_back(self, row: Redemption) -> str:
        return when(row.reversed_at)

    @column(_("状态"), labels={"live": "success", "partly": "info", "reversed": "warning"})
    def state_label(self, row: Redemption) -> tuple[str, str]:
        if row.reversed_at:
            return "reversed", _now("已撤销")
        return ("partly", _now("部分退货")) if row.returned_fen else ("live", _now("已核销"))

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        is_whole = may_see_codes(request)
        return (
            Column(_("订单号"), lambda row: row.order_no),
            Column(_("门店"), lambda row: row.store.name),
            Column(_("渠道"), lambda row: channel_words(row.channel)),
            Column(_("收银台"), lambda row: row.till),
            Column(_("券名称"), lambda row: row.coupon.batch.template.title),
            Column(_("批次"), lambda row: row.coupon.batch.name),
            Column(_("券码"), lambda row: shown_code(row.coupon.code, is_whole=is_whole)),
            Column(_("会员码"), lambda row: row.coupon.member.code),
            Column(_("核销导购"), lambda row: row.redeemed_by_guide.name if row.redeemed_by_guide else ""),
            Column(_("订单金额（元）"), lambda row: row.amount_fen, "fen"),
            Column(_("优惠金额（元）"), lambda row: row.discount_fen, "fen"),
            Column(_("已退货金额（元）"), lambda row: row.returned_fen, "fen"),
            Column(_("已收回优惠（元）"), lambda row: row.returned_discount_fen, "fen"),
            Column(_("核销时间"), lambda row: row.redeemed_at, "moment"),
            Column(_("状态"), lambda row: self.state_label(row)[1]),
            Column(_("撤销时间"), lambda row: row.reversed_at, "moment"),
            Column(_("撤销原因"), lambda row: row.reversal_reason),
        )

    def has_reverse_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own, head office's: a store takes back its own of the same day in the assistant."""
        return request.user.has_perm("coupons.reverse_redemption")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Taken back once."""
        row = self.subject(request, str(object_id))
        is_live = row is not None and row.reversed_at is None
        return super().get_actions_detail(request, object_id) if is_live else []

    @operation(_("撤销核销"), icon="undo", variant="danger", needs=("reverse",), path="reverse")
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            if row.order is not None:
                back = _take_order_back(row, request, cleaned)
                return _now("整单已撤销，%(n)s 张券已退回") % {"n": len(back.usable)}
            card = services.reverse_redemption(
                request_id=row.request_id,
                reversal_key=cleaned["reversal_key"],
                reason=cleaned["reason"],
                actor=staff_actor(request),
            )
            return _now("已撤销，券现在是%(state)s") % {"state": CouponState(card.coupon_state).label}

        question = Question(
            title=_now("撤销订单 %(order)s 的核销") % {"order": row.order_no},
            submit=_("撤销核销"),
            back_url=reverse("admin:coupons_redemption_change", args=[row.pk]),
            lines=[
                _now("%(store)s，订单 %(amount)s 元，优惠 %(off)s 元")
                % {"store": row.store.name, "amount": money(row.amount_fen), "off": money(row.discount_fen)},
                *_whole_order(row),
                _now("还没过期的券会退回给会员，过期的保持过期"),
            ],
            is_dangerous=True,
        )
        form = ReversalForm(bound_data(request), initial={"reversal_key": new_public_id()})
        return ask(self, request, question, run, form=form, subject=row)


def _whole_order(row: Redemption) -> list[str]:
    """What goes with it: coupons of one order are taken back together."""
    if row.order is None:
        return []
    count = Redemption.objects.filter(order=row.order).count()
    words = _now("这一单的 %(count)s 张券会一起撤销") % {"count": count}
    if row.order.points:
        words += _now("，%(points)s 积分退回") % {"points": row.order.points}
    return [words]


def _take_order_back(row: Redemption, request: HttpRequest, cleaned: dict[str, Any]) -> ReturnCard:
    """The whole order is undone; of one of which goods came back already, what is left."""
    asked: dict[str, Any] = {
        "store_id": row.store_id,
        "order_no": row.order_no,
        "reason": cleaned["reason"],
        "actor": staff_actor(request),
    }
    if CouponReturn.objects.filter(order_id=row.order_id).exists():
        return services.return_order(return_key=cleaned["reversal_key"], **asked)
    return services.reverse_order(reversal_key=cleaned["reversal_key"], **asked)
