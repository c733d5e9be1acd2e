"""Guides' face-to-face offers: who offered what, what the scans brought, and ending one early."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    ask,
    column,
    name_actions,
    operation,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from coupons import services
from coupons.admin.reasons import reason_words
from coupons.models import FaceToFaceClaim, FaceToFaceOffer
from coupons.selectors.guide_doors import count_claims, counts_at
from members import selectors as member_selectors

name_actions(
    {
        "coupons.face_to_face_opened": _("出示面对面发券码"),
        "coupons.face_to_face_closed": _("结束面对面发券"),
    }
)
_COLOURS = {"open": "success", "closed": "info", "over": "warning"}
_SHOWN = 50


class OpenFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (("open", _("出示中")), ("over", _("已结束")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        now = clock.now()
        is_open = Q(closed_at__isnull=True, expires_at__gt=now)
        if self.value() == "open":
            return queryset.filter(is_open)
        return queryset.exclude(is_open) if self.value() == "over" else queryset


@admin.register(FaceToFaceOffer)
class FaceToFaceOfferAdmin(ScopedReadOnlyAdmin):
    """Offers, the newest first, with what each brought."""

    list_display = (
        "opened",
        "guide",
        "store",
        "batch",
        "state_label",
        "issued_count",
        "refused_count",
        "late_count",
    )
    list_select_related = ("guide", "store", "batch")
    list_filter = (
        OpenFilter,
        ("batch", AutocompleteFilter),
        ("store", AutocompleteFilter),
        ("guide", AutocompleteFilter),
    )
    date_hierarchy = "opened_at"
    search_fields = ("guide__name", "=guide__number", "store__name", "batch__name")
    search_help_text = _("按导购姓名或工号、门店、批次名称查找")
    ordering = ("-opened_at", "-pk")
    actions_detail = ("close",)
    fieldsets = (
        (None, {"fields": (("batch", "state_label"), ("guide", "store"))}),
        (_("时间"), {"fields": (("opened", "expires", "closed"),)}),
        (_("扫码结果"), {"fields": (("issued_count", "refused_count", "late_count"),)}),
    )

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        counts = count_claims([row.pk for row in rows])
        for row in rows:
            row.counts = counts[row.pk]

    @column(_("出示时间"), ordering="opened_at")
    def opened(self, row: FaceToFaceOffer) -> str:
        return when(row.opened_at)

    @column(_("到期时间"))
    def expires(self, row: FaceToFaceOffer) -> str:
        return when(row.expires_at)

    @column(_("提前结束时间"))
    def closed(self, row: FaceToFaceOffer) -> str:
        return when(row.closed_at)

    @column(_("状态"), labels=_COLOURS)
    def state_label(self, row: FaceToFaceOffer) -> tuple[str, str]:
        if row.closed_at is not None:
            return "closed", _now("提前结束")
        return ("open", _now("出示中")) if counts_at(row, clock.now()) else ("over", _now("已到期"))

    @column(_("领到"))
    def issued_count(self, row: Any) -> str:
        return thousands(_counts(row).get("issued", 0))

    @column(_("没有领到"))
    def refused_count(self, row: Any) -> str:
        return thousands(_counts(row).get("refused", 0))

    @column(_("结束后扫码"))
    def late_count(self, row: Any) -> str:
        return thousands(_counts(row).get("late", 0))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only while it is shown."""
        row = self.subject(request, str(object_id))
        is_open = row is not None and counts_at(row, clock.now())
        return super().get_actions_detail(request, object_id) if is_open else []

    @operation(_("结束"), icon="stop", variant="danger", path="close")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            services.close_face_to_face(
                public_id=row.public_id, guide_id=row.guide_id, actor=staff_actor(request)
            )
            return _now("已结束")

        question = Question(
            title=_now("结束 %(guide)s 的面对面发券") % {"guide": row.guide.name},
            submit=_("结束"),
            back_url=reverse("admin:coupons_facetofaceoffer_change", args=[row.pk]),
            lines=[_now("之后扫这个码不再发券，只绑定导购；已经领到的券不受影响")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=row)


def _counts(row: Any) -> dict[str, int]:
    if not hasattr(row, "counts"):
        row.counts = count_claims([row.pk])[row.pk]
    counts: dict[str, int] = row.counts
    return counts


def _claims_panel(request: HttpRequest, offer: FaceToFaceOffer) -> Panel:
    claims = list(FaceToFaceClaim.objects.filter(offer=offer).order_by("-pk")[:_SHOWN])
    cards = member_selectors.list_member_cards({claim.member_id for claim in claims})
    context = {
        "heads": (_("时间"), _("会员"), _("结果"), _("原因")),
        "rows": [
            (
                when(claim.at),
                cards[claim.member_id].display_name,
                str(claim.get_outcome_display()),
                reason_words(claim.reason) if claim.reason else "—",
            )
            for claim in claims
        ],
        "empty": _("还没有人扫码"),
    }
    return Panel(_("扫码记录"), "admin/xiaoer/panel_table.html", context)


register_panel("coupons.FaceToFaceOffer", _claims_panel)
