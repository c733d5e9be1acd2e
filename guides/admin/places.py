"""Regions, dealers and stores."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import audit
from core.admin import (
    AutocompleteFilter,
    BaseAdmin,
    Panel,
    Question,
    ScopedAdmin,
    ServiceForms,
    ask,
    column,
    operation,
    register_panel,
    staff_actor,
    thousands,
)
from core.admin.hours import DAYS, HoursField
from guides import services
from guides.models import Binding, Dealer, Guide, GuideState, Region, Store

_OPEN_STORES = Count("stores", filter=Q(stores__is_active=True))


class HeadOfficeWrites(BaseAdmin):
    """Everybody with the right may look; the tree and the dealers are changed by head office."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Region)
class RegionAdmin(ServiceForms, HeadOfficeWrites):
    """The tree, parents before children, by indentation."""

    list_display = ("tree_name", "store_count", "below_count")
    sortable_by = ()
    ordering = ("path",)
    list_per_page = 200
    search_fields = ("name",)
    search_help_text = _("按区域名称查找")
    autocomplete_fields = ("parent",)
    fields = ("name", "parent")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(store_total=_OPEN_STORES)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        totals = {row.path: row.store_total for row in Region.objects.annotate(store_total=_OPEN_STORES)}
        for row in rows:
            row.below_total = sum(number for path, number in totals.items() if path.startswith(row.path))

    @column(_("区域"))
    def tree_name(self, row: Region) -> str:
        depth = row.path.count("/") - 2
        return format_html(
            '<span class="xe-indent">{}</span>{}', "　　" * depth + ("└ " if depth else ""), row.name
        )

    @column(_("直属门店"))
    def store_count(self, row: Any) -> int:
        return int(row.store_total)

    @column(_("含下级门店"))
    def below_count(self, row: Any) -> int:
        return int(row.below_total)

    def run_service(self, request: HttpRequest, row: Region, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        parent_id = cleaned["parent"].pk if cleaned["parent"] else None
        if not change:
            return services.open_region(name=cleaned["name"], parent_id=parent_id, actor=actor).id
        if "name" in form.changed_data:
            services.rename_region(region_id=row.pk, name=cleaned["name"], actor=actor)
        if "parent" in form.changed_data:
            services.move_region(region_id=row.pk, parent_id=parent_id, actor=actor)
        return int(row.pk)


@admin.register(Dealer)
class DealerAdmin(ServiceForms, HeadOfficeWrites):
    """Dealers and how many stores each has."""

    list_display = ("name", "code", "contact", "store_count", "is_active")
    list_filter = ("is_active",)
    ordering = ("code",)
    search_fields = ("name", "code", "contact")
    search_help_text = _("按名称、编号或联系人查找")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "name", "contact") if obj is None else ("code", "name", "contact", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("code",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(store_total=_OPEN_STORES)

    @column(_("门店数"), ordering="store_total")
    def store_count(self, row: Any) -> int:
        return int(row.store_total)

    def run_service(self, request: HttpRequest, row: Dealer, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        if not change:
            dealer = services.open_dealer(
                code=cleaned["code"], name=cleaned["name"], contact=cleaned["contact"], actor=actor
            )
            return dealer.id
        if form.changed_data:
            row.save(update_fields=form.changed_data)
            audit.record(
                action="guides.dealer_changed", subject=row, actor=actor, fields=sorted(form.changed_data)
            )
        return int(row.pk)


class StoreForm(forms.ModelForm[Store]):
    """The store's particulars; its position is typed as WeChat's and the maps' pages show it."""

    opening_hours = HoursField(
        label=_("营业时间"), required=False, help_text=_("休息日两格都空着；全空表示没有填写")
    )

    class Meta:
        model = Store
        fields = (
            "code", "name", "region", "dealer", "address", "latitude", "longitude", "phone", "opening_hours",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        halves = [cleaned.get("latitude") is None, cleaned.get("longitude") is None]
        if any(halves) and not all(halves) and not self.errors.keys() & {"latitude", "longitude"}:
            self.add_error("latitude" if halves[0] else "longitude", _("纬度和经度要么都填，要么都不填"))
        return cleaned


@admin.register(Store)
class StoreAdmin(ServiceForms, ScopedAdmin):
    """Stores of the account's part of the chain."""

    form = StoreForm
    list_display = (
        "name",
        "code",
        "region",
        "dealer_words",
        "guide_count",
        "member_count",
        "phone",
        "open_label",
    )
    list_select_related = ("region", "dealer")
    list_filter = (("region", AutocompleteFilter), ("dealer", AutocompleteFilter), "is_active")
    ordering = ("code",)
    search_fields = ("name", "code", "address")
    search_help_text = _("按门店名称、编号或地址查找")
    autocomplete_fields = ("region", "dealer")
    actions_detail = ("close", "reopen")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("region", "dealer"), "open_label")}),
        (_("位置和联系"), {"fields": ("address", ("latitude", "longitude"), "phone")}),
        (_("营业时间"), {"fields": ("opening_hours",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ("open_label", "hours_words")
        return ("open_label",) if obj is None else ("open_label", "code")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first, place, hours = super().get_fieldsets(request, obj)
        if obj is None:
            first = (None, {"fields": (("code", "name"), ("region", "dealer"))})
        elif not self.has_change_permission(request, obj):
            hours = (hours[0], {"fields": ("hours_words",)})
        return (first, place, hours)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        keys = [row.pk for row in rows]
        guides = dict(
            Guide.objects.active()
            .filter(store__in=keys)
            .values_list("store_id")
            .annotate(n=Count("pk"))
            .order_by()
        )
        members = dict(
            Binding.objects.live()
            .filter(guide__store__in=keys)
            .values_list("guide__store_id")
            .annotate(n=Count("pk"))
            .order_by()
        )
        for row in rows:
            row.guide_total, row.member_total = guides.get(row.pk, 0), members.get(row.pk, 0)

    @column(_("经销商"), ordering="dealer__name")
    def dealer_words(self, row: Store) -> str:
        return row.dealer.name if row.dealer is not None else _now("直营")

    @column(_("在职导购"))
    def guide_count(self, row: Any) -> int:
        return int(row.guide_total)

    @column(_("专属会员"))
    def member_count(self, row: Any) -> str:
        return thousands(row.member_total)

    @column(_("营业"), ordering="is_active", labels={"open": "success", "closed": "danger"})
    def open_label(self, row: Store) -> tuple[str, str]:
        return ("open", _now("营业中")) if row.is_active else ("closed", _now("已停业"))

    @column(_("营业时间"))
    def hours_words(self, row: Store) -> str:
        if len(row.opening_hours) != len(DAYS):
            return _now("没有填写")
        spans = zip(DAYS, row.opening_hours, strict=True)
        return "；".join(f"{day} {span or _now('休息')}" for day, span in spans)

    def run_service(self, request: HttpRequest, row: Store, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        values = {
            "name": cleaned["name"],
            "region_id": cleaned["region"].pk,
            "dealer_id": cleaned["dealer"].pk if cleaned["dealer"] else None,
            "address": cleaned["address"],
            "latitude": cleaned["latitude"],
            "longitude": cleaned["longitude"],
            "phone": cleaned["phone"],
            "opening_hours": cleaned["opening_hours"],
            "actor": actor,
        }
        if change:
            return services.change_store(store_id=row.pk, **values).id
        return services.open_store(code=cleaned["code"], **values).id

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only the button that fits: an open store can be closed, a closed one opened."""
        store = self.subject(request, str(object_id))
        fitting = {"close" if store is not None and store.is_active else "reopen"}
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path in fitting]

    @operation(_("停业"), icon="door_front", variant="danger", path="close")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        store = self.subject(request, object_id)
        if store is None:
            return self.no_subject(request, object_id)
        at_work = Guide.objects.active().filter(store=store).count()

        def run(_cleaned: dict[str, Any]) -> str:
            card = services.close_store(store_id=store.pk, actor=staff_actor(request))
            return _now("%(name)s 已停业") % {"name": card.name}

        question = Question(
            title=_now("让「%(name)s」停业") % {"name": store.name},
            submit=_("停业"),
            back_url=reverse("admin:guides_store_change", args=[store.pk]),
            lines=[
                _now("店里现在有 %(n)s 位在职导购；有在职导购时不能停业，请先给她们换店") % {"n": at_work},
                _("停业后不再接受新导购，门店码也分不到导购；历史记录都保留"),
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=store)

    @operation(_("恢复营业"), icon="storefront", path="reopen")
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        store = self.subject(request, object_id)
        if store is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            card = services.reopen_store(store_id=store.pk, actor=staff_actor(request))
            return _now("%(name)s 已恢复营业") % {"name": card.name}

        question = Question(
            title=_now("让「%(name)s」恢复营业") % {"name": store.name},
            submit=_("恢复营业"),
            back_url=reverse("admin:guides_store_change", args=[store.pk]),
        )
        return ask(self, request, question, run, subject=store)


def _guides_panel(request: HttpRequest, store: Store) -> Panel:
    """Who works here, with how many members each has."""
    guides: QuerySet[Any] = (
        Guide.objects.filter(store=store)
        .annotate(live=Count("bindings", filter=Q(bindings__ended_at__isnull=True)))
        .order_by("state", "-role", "number")
    )
    rows = [
        (
            format_html(
                '<a href="{}">{}</a>', reverse("admin:guides_guide_change", args=[guide.pk]), guide.name
            ),
            guide.number,
            guide.get_role_display(),
            guide.get_state_display(),
            thousands(guide.live),
        )
        for guide in guides[:100]
    ]
    active = sum(1 for guide in guides[:100] if guide.state == GuideState.ACTIVE)
    return Panel(
        _now("导购（在职 %(n)s 位）") % {"n": active},
        "admin/xiaoer/panel_table.html",
        {
            "heads": (_("姓名"), _("工号"), _("岗位"), _("状态"), _("专属会员")),
            "rows": rows,
            "empty": _("店里还没有导购"),
        },
    )


register_panel("guides.Store", _guides_panel)
