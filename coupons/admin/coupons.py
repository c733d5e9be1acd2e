"""Coupons by code or holder, what happened to each, and what they were used for."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock, codes
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    operation,
    register_panel,
    staff_actor,
    when,
)
from core.codes import new_public_id
from coupons import services
from coupons.contracts import ReturnCard
from coupons.models import Coupon, CouponEvent, CouponReturn, CouponState, Redemption
from coupons.selectors.checks import state_at
from coupons.selectors.coupons import CODE_LENGTH
from coupons.selectors.templates import yuan
from members import selectors as member_selectors

name_actions(
    {
        "coupons.coupon_issued": _("发券"),
        "coupons.coupon_voided": _("作废券"),
        "coupons.code_read": _("扫描动态券码"),
        "coupons.redeemed": _("核销"),
        "coupons.redemption_reversed": _("撤销核销"),
    }
)
name_details({"coupon_id": _("券编号")})
_COLOURS = {
    "issued": "success", "locked": "warning", "gifting": "info", "redeemed": "info", "expired": "warning",
    "voided": "danger",
}  # fmt: skip
_WHAT = {
    "redeemed": _("核销"),
    "reversed": _("撤销核销"),
    "locked": _("下单占用"),
    "unlocked": _("取消占用"),
    "lock_lapsed": _("占用超时"),
    "offered": _("发起转赠"),
    "accepted": _("被领取"),
    "returned": _("转赠退回"),
    "expired": _("过期"),
    "voided": _("作废"),
}


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in CouponState)


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


class ReversalForm(ReasonForm):
    reversal_key = forms.CharField(widget=forms.HiddenInput, max_length=80)


@admin.register(Coupon)
class CouponAdmin(ScopedReadOnlyAdmin):
    """Coupons, the newest first; found by their code or as members are found."""

    list_display = ("code", "batch", "member_name", "state_label", "door_words", "issued", "until")
    list_select_related = ("batch__template", "member")
    list_filter = (StateFilter, ("batch", AutocompleteFilter))
    search_fields = ("code",)
    search_help_text = _("券码，或会员姓名、手机号、会员码")
    ordering = ("-pk",)
    actions_detail = ("void",)
    fieldsets = (
        (None, {"fields": (("code", "state_label"), ("batch", "member_name"), ("since", "until"))}),
        (
            _("发放"),
            {"fields": (("door_words", "issued"), ("issued_by_guide", "issued_store"), "source_key")},
        ),
        (_("合作方"), {"fields": ("partner_code",)}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        code = codes.normalize(search_term[:40])
        if len(code) == CODE_LENGTH:
            return queryset.filter(code=code), False
        return queryset.filter(member_id__in=member_selectors.search_member_ids(search_term)), False

    @column(_("持有人"))
    def member_name(self, row: Coupon) -> str:
        return member_selectors.card_of(row.member).display_name

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Coupon) -> tuple[str, str]:
        state = state_at(row, clock.now())
        return state, str(CouponState(state).label)

    @column(_("发放渠道"), ordering="door")
    def door_words(self, row: Coupon) -> str:
        return str(row.get_door_display())

    @column(_("发放时间"), ordering="issued_at")
    def issued(self, row: Coupon) -> str:
        return when(row.issued_at)

    @column(_("可用开始"), ordering="valid_from")
    def since(self, row: Coupon) -> str:
        return when(row.valid_from)

    @column(_("可用到"), ordering="valid_until")
    def until(self, row: Coupon) -> str:
        return when(row.valid_until)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Nothing to make void once it was used or is over."""
        row = self.subject(request, str(object_id))
        is_open = row is not None and row.state in {"issued", "locked", "gifting"}
        return super().get_actions_detail(request, object_id) if is_open else []

    @operation(_("作废"), icon="block", variant="danger", path="void")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.void_coupon(coupon_id=row.pk, reason=cleaned["reason"], actor=staff_actor(request))
            return _now("已作废")

        question = Question(
            title=_now("作废 %(name)s 的券 %(code)s") % {"name": self.member_name(row), "code": row.code},
            submit=_("作废"),
            back_url=reverse("admin:coupons_coupon_change", args=[row.pk]),
            lines=[_now("作废后不能恢复；数量不退回批次")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=ReasonForm(bound_data(request)), subject=row)


@admin.register(Redemption)
class RedemptionAdmin(ScopedReadOnlyAdmin):
    """What coupons were used for, the newest first."""

    list_display = ("coupon", "store", "order_no", "amount", "discount", "moment", "state_label")
    list_select_related = ("coupon", "store", "order")
    list_filter = (("store", AutocompleteFilter),)
    date_hierarchy = "redeemed_at"
    search_fields = ("order_no", "coupon__code")
    search_help_text = _("按订单号或券码查找")
    ordering = ("-pk",)
    actions_detail = ("reverse",)
    fieldsets = (
        (None, {"fields": (("coupon", "state_label"), ("store", "till"), ("order_no", "channel"))}),
        (_("金额"), {"fields": (("amount", "discount"), ("returned", "returned_discount"))}),
        (_("时间"), {"fields": (("moment", "recorded"), "redeemed_by_guide")}),
        (_("撤销"), {"fields": (("reversed_at", "reversal_reason"),)}),
    )

    @column(_("订单金额（元）"), ordering="amount_fen")
    def amount(self, row: Redemption) -> str:
        return yuan(row.amount_fen)

    @column(_("优惠金额（元）"), ordering="discount_fen")
    def discount(self, row: Redemption) -> str:
        return yuan(row.discount_fen)

    @column(_("已退货金额（元）"))
    def returned(self, row: Redemption) -> str:
        return yuan(row.returned_fen)

    @column(_("已收回优惠（元）"))
    def returned_discount(self, row: Redemption) -> str:
        return yuan(row.returned_discount_fen)

    @column(_("核销时间"), ordering="redeemed_at")
    def moment(self, row: Redemption) -> str:
        return when(row.redeemed_at)

    @column(_("记录时间"), ordering="recorded_at")
    def recorded(self, row: Redemption) -> str:
        return when(row.recorded_at)

    @column(_("状态"), labels={"live": "success", "partly": "info", "reversed": "warning"})
    def state_label(self, row: Redemption) -> tuple[str, str]:
        if row.reversed_at:
            return "reversed", _now("已撤销")
        return ("partly", _now("部分退货")) if row.returned_fen else ("live", _now("已核销"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Taken back once."""
        row = self.subject(request, str(object_id))
        is_live = row is not None and row.reversed_at is None
        return super().get_actions_detail(request, object_id) if is_live else []

    @operation(_("撤销核销"), icon="undo", variant="danger", path="reverse")
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
            lines=[*_whole_order(row), _now("还没过期的券会退回给会员，过期的保持过期")],
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


def _event_cells(event: CouponEvent) -> Sequence[str]:
    what = str(_WHAT.get(event.what, event.what))
    return when(event.at), what, str(event.get_to_state_display()), event.reason or "—", event.actor or "—"


def _history_panel(request: HttpRequest, coupon: Coupon) -> Panel:
    events = CouponEvent.objects.filter(coupon=coupon).order_by("-pk")[:50]
    context = {
        "heads": (_("时间"), _("事项"), _("之后的状态"), _("原因"), _("操作者")),
        "rows": [_event_cells(event) for event in events],
        "empty": _("发放之后还没有变化"),
    }
    return Panel(_("这张券的经过"), "admin/xiaoer/panel_table.html", context)


register_panel("coupons.Coupon", _history_panel)
