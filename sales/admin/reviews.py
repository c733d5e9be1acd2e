"""购物评价: what members say of their purchases, the newest first."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import phones
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DaysFilter,
    Exports,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    first_found,
    money,
    when,
)
from core.errors import sentences_in
from guides import errors as guide_errors
from members import selectors as member_selectors
from members.admin.cells import MemberCells
from sales.admin.documents import link_to
from sales.models import Review, ReviewState
from sales.selectors.documents import DocumentName

_COLOURS: Final = {
    "planned": "info",
    "open": "warning",
    "answered": "success",
    "over": "info",
    "dropped": "info",
}
_REQUEST_SENTENCES: Final = sentences_in(guide_errors)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ReviewState)


class ScoreFilter(ChoiceFilter):
    title = _("评分")
    parameter_name = "score"
    options = (
        ("low", _("1–2 分")),
        ("3", _("3 分")),
        ("high", _("4–5 分")),
    )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        spans = {"low": (1, 2), "3": (3, 3), "high": (4, 5)}
        span = spans.get(self.value() or "")
        return queryset if span is None else queryset.filter(score__range=span)


@admin.register(Review)
class ReviewAdmin(TypedSearch, MemberCells, Exports, ScopedReadOnlyAdmin):
    """Invitations and answers of the stores of one's part."""

    list_display = (
        "order",
        "stars",
        "said",
        "member_name",
        "store",
        "guide",
        "state_label",
        "became",
        "moment",
    )
    list_select_related = ("sale", "store", "guide")
    list_filter = (
        ScoreFilter,
        StateFilter,
        ("answered_at", DaysFilter),
        ("store", AutocompleteFilter),
        ("guide", AutocompleteFilter),
    )
    search_fields = ("sale__order_no",)
    search_help_text = _("完整订单号，或会员姓名、手机号、会员码")
    ordering = (F("answered_at").desc(nulls_last=True), "-pk")  # what was said comes first
    fieldsets = (
        (None, {"fields": (("order", "amount"), ("store", "guide"), ("member_name", "state_label"))}),
        (_("评价"), {"fields": (("stars", "moment", "became"), "whole_words")}),
        (_("时间"), {"fields": (("due", "ends"),)}),
    )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "sales_review_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return first_found(
            queryset.filter(sale__order_no=text),
            queryset.filter(member_id__in=member_selectors.search_member_ids(text)),
        )

    @column(_("订单"))
    def order(self, row: Review) -> Any:
        return link_to("sale", DocumentName(row.sale.order_no, row.sale_id))

    @column(_("成交金额（元）"))
    def amount(self, row: Review) -> str:
        return money(row.sale.amount_fen)

    @column(_("评分"), ordering="score")
    def stars(self, row: Review) -> str:
        return stars(row.score)

    @column(_("评价内容"))
    def said(self, row: Review) -> str:
        words = _said(row)
        return words if len(words) <= 30 else f"{words[:30]}…"

    @column(_("评价内容"))
    def whole_words(self, row: Review) -> str:
        return _said(row) or "—"

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Review) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("服务请求"))
    def became(self, row: Review) -> str:
        return request_words(row.request_outcome)

    @column(_("评价时间"), ordering="answered_at")
    def moment(self, row: Review) -> str:
        return when(row.answered_at)

    @column(_("邀请时间"))
    def due(self, row: Review) -> str:
        return when(row.due_at)

    @column(_("截止时间"))
    def ends(self, row: Review) -> str:
        return when(row.expires_at)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        return (
            Column(_("订单号"), lambda row: row.sale.order_no),
            Column(_("门店"), lambda row: row.store.name),
            Column(_("导购"), lambda row: row.guide.name if row.guide else ""),
            Column(_("状态"), lambda row: str(row.get_state_display())),
            Column(_("评分"), lambda row: row.score, "count"),
            Column(_("评价内容"), _said),
            Column(_("评价时间"), lambda row: row.answered_at, "moment"),
            Column(_("服务请求"), lambda row: request_words(row.request_outcome)),
        )


def stars(score: int | None) -> str:
    """ "★★★★☆"."""
    return "—" if score is None else "★" * score + "☆" * (5 - score)


def _said(row: Review) -> str:
    """What she wrote, but for whole phone numbers in it: they are hers to show, not the page's."""
    return phones.mask_within(row.words)


def request_words(outcome: str) -> str:
    """What became of a low score."""
    if not outcome:
        return "—"
    if outcome == "opened":
        return _now("已转服务请求")
    return str(_REQUEST_SENTENCES.get(outcome, outcome))
