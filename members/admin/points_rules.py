"""What the chain decides about points: how they are earned, when they count more, how long they are good."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, OnlyRow, column
from members.models import EarningRule, MultiplierRule, PointsSettings


def times(multiplier_bp: int) -> str:
    """15,000 basis points → 1.5 倍."""
    return _now("%(n)s 倍") % {"n": f"{multiplier_bp / 10_000:g}"}


def span_words(row: EarningRule | MultiplierRule) -> str:
    """From when to when, half-open."""
    if row.valid_from is None and row.valid_until is None:
        return _now("一直有效")
    start = row.valid_from.isoformat() if row.valid_from is not None else ""
    end = row.valid_until.isoformat() if row.valid_until is not None else ""
    return _now("%(start)s 起，%(end)s 前") % {"start": start or "…", "end": end or "…"}


@admin.register(EarningRule)
class EarningRuleAdmin(BaseAdmin):
    """How money becomes points; of several that fit the highest priority applies."""

    list_display = ("name", "category_words", "rate_words", "span", "priority", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "category")
    search_help_text = _("按名称或商品类目查找")
    ordering = ("-priority", "-pk")
    fields = (
        "name",
        "category",
        ("fen_per_point", "multiplier_bp"),
        ("valid_from", "valid_until"),
        "priority",
        "is_active",
    )

    @column(_("商品类目"), ordering="category")
    def category_words(self, row: EarningRule) -> str:
        return row.category or _now("全部商品")

    @column(_("怎么积"))
    def rate_words(self, row: EarningRule) -> str:
        rate = _now("每 %(yuan)s 元积 1 分") % {"yuan": f"{row.fen_per_point / 100:g}"}
        return rate if row.multiplier_bp == 10_000 else f"{rate} × {times(row.multiplier_bp)}"

    @column(_("有效期"), ordering="valid_from")
    def span(self, row: EarningRule) -> str:
        return span_words(row)


@admin.register(MultiplierRule)
class MultiplierRuleAdmin(BaseAdmin):
    """When points count more; of several that hold the greatest applies alone."""

    list_display = ("name", "kind_words", "rate_words", "span", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    search_help_text = _("按名称查找")
    ordering = ("-pk",)
    fields = (("name", "kind"), "multiplier_bp", ("valid_from", "valid_until"), "is_active")

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: MultiplierRule) -> str:
        return str(row.get_kind_display())

    @column(_("倍数"), ordering="multiplier_bp")
    def rate_words(self, row: MultiplierRule) -> str:
        return times(row.multiplier_bp)

    @column(_("有效期"), ordering="valid_from")
    def span(self, row: MultiplierRule) -> str:
        return span_words(row)


@admin.register(PointsSettings)
class PointsSettingsAdmin(OnlyRow, BaseAdmin):
    """One row for the chain."""

    fields = ("expiry_months", "shortage_policy", "notice_days", "approval_limit", "profile_reward")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)
