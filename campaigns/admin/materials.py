"""素材: written with a phone beside the form, published and withdrawn, and what came of each."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.materials import MOST_PICTURES, MaterialDraft, StoredPicture
from campaigns.models import Material, MaterialState
from campaigns.selectors.material_numbers import count_material_views, list_sharing_guides, sum_material
from campaigns.services import materials
from campaigns.services.material_pictures import drop_picture_files, store_picture
from core import clock
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Panel,
    ScopedAdmin,
    ServiceForms,
    ask_about,
    column,
    money,
    name_actions,
    name_details,
    operation,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal
from coupons.admin.terms_form import TermsForm

name_actions(
    {
        "campaigns.material_added": _("新增素材"),
        "campaigns.material_changed": _("修改素材"),
        "campaigns.material_published": _("发布素材"),
        "campaigns.material_withdrawn": _("撤回素材"),
    }
)
name_details({"pictures": _("图片")})
_COLOURS: Final = {
    "draft": "info",
    "published": "success",
    "waiting": "warning",
    "over": "",
    "withdrawn": "danger",
}


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in MaterialState)


class CategoryFilter(ChoiceFilter):
    title = _("分类")
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = model_admin.get_queryset(request).order_by("category").values_list("category", flat=True)
        return [(name, name) for name in names.distinct()[:100]]


class _FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Any number of files, as a list."""

    widget = _FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(_FilesField, self).clean(one, initial) for one in files if one]


class MaterialForm(TermsForm):
    """A material as staff write it. `kept`: the pictures that stay, in their order; new ones come behind them."""

    kept = forms.CharField(widget=forms.HiddenInput, required=False, max_length=400)
    uploads = _FilesField(
        label=_("图片"),
        required=False,
        widget=_FilesInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_("JPG、PNG 或 WebP，每张 10 MB 以内，最多 9 张；第一张是封面，用箭头换位置"),
    )

    class Meta:
        model = Material
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kept" in self.fields and self.instance.pk:
            rows = self.instance.pictures.order_by("position")
            shown = [{"id": row.pk, "url": row.thumb.url} for row in rows]
            self.fields["uploads"].widget.attrs["data-pictures"] = json.dumps(shown)
            self.fields["kept"].initial = ",".join(str(row.pk) for row in rows)

    def kept_pictures(self) -> list[StoredPicture]:
        """Those of this material that stay, in their order."""
        wanted = [
            int(part) for part in self.cleaned_data["kept"].split(",") if part.isascii() and part.isdecimal()
        ]
        found = {row.pk: row for row in self.instance.pictures.all()} if self.instance.pk else {}
        rows = [found[pk] for pk in dict.fromkeys(wanted) if pk in found]
        return [StoredPicture(row.picture.name, row.thumb.name, row.width, row.height) for row in rows]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        count = len(self.kept_pictures()) + len(cleaned.get("uploads") or [])
        if count > MOST_PICTURES:
            self.add_error(
                "uploads", _now("最多 %(most)s 张，现在有 %(n)s 张") % {"most": MOST_PICTURES, "n": count}
            )
        return cleaned


@admin.register(Material)
class MaterialAdmin(ServiceForms, ScopedAdmin):
    """Materials, the newest first, with how far they carried."""

    form = MaterialForm
    empty_words = _("写好话术、配上图，发布后导购就能在助手里转发")
    list_display = (
        "title_cell",
        "category",
        "place",
        "state_label",
        "guides",
        "views",
        "visitors",
        "published",
    )
    list_filter = (StateFilter, CategoryFilter, ("region", AutocompleteFilter))
    list_select_related = ("region", "store")
    search_fields = ("title", "words", "category")
    search_help_text = _("按标题、话术或分类查找")
    ordering = ("-pk",)
    autocomplete_fields = ("batch", "region", "store")
    actions_detail = ("publish", "withdraw")
    change_form_outer_after_template = "admin/xiaoer/materials/after.html"
    fieldsets = (
        (None, {"fields": ("title", "category", "words")}),
        (_("顾客打开看到的"), {"fields": ("text", "uploads", "kept")}),
        (
            _("能点到哪里"),
            {
                "fields": ("batch", "mini_page", "link_url", "link_label"),
                "description": _(
                    "都可以不填。页面下方总有导购的二维码；券和小程序页面在微信里长按小程序码打开"
                ),
            },
        ),
        (
            _("给谁用、用多久"),
            {
                "fields": ("region", "store", "starts_at", "ends_at"),
                "description": _("区域和门店都不选，就是全部门店"),
            },
        ),
    )

    class Media:
        css = {"all": ("admin_xiaoer/materials.css",)}
        js = ("admin_xiaoer/materials.js",)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        counts = count_material_views([row.pk for row in rows])
        for row in rows:
            row.counts = counts.get(row.pk, (0, 0, 0))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for the material as it is."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        possible = {
            "publish": row.state != MaterialState.PUBLISHED,
            "withdraw": row.state == MaterialState.PUBLISHED,
        }
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if possible.get(action.path, True)]

    def run_service(self, request: HttpRequest, row: Material, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        draft = MaterialDraft(
            title=cleaned["title"],
            category=cleaned["category"],
            words=cleaned["words"],
            text=cleaned["text"],
            link_url=cleaned["link_url"],
            link_label=cleaned["link_label"],
            mini_page=cleaned["mini_page"],
            batch_id=_pk(cleaned["batch"]),
            region_id=_pk(cleaned["region"]),
            store_id=_pk(cleaned["store"]),
            starts_at=cleaned["starts_at"],
            ends_at=cleaned["ends_at"],
        )
        kept = form.kept_pictures()
        is_changed = bool({"kept", "uploads"} & set(form.changed_data))
        fresh: list[StoredPicture] = []
        try:
            fresh.extend(
                store_picture(stream=file) for file in cleaned["uploads"]
            )  # keeps those before a bad one
            return materials.save_material(
                draft=draft,
                pictures=[*kept, *fresh] if is_changed or not change else None,
                material_id=row.pk if change else None,
                staff=request.user,  # type: ignore[arg-type]
                actor=staff_actor(request),
            )
        except Refusal as refusal:
            drop_picture_files(names=[name for one in fresh for name in (one.name, one.thumb_name)])
            if refusal.details.get("field") == "pictures":
                refusal.details["field"] = "uploads"
            raise

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("words", "text") and field is not None:
            field.widget.attrs["rows"] = 4 if db_field.name == "words" else 6
        return field

    @column(_("素材"), ordering="title")
    def title_cell(self, row: Material) -> str:
        return row.title

    @column(_("给谁用"))
    def place(self, row: Material) -> str:
        return str(row.region or row.store or _now("全部门店"))

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Material) -> tuple[str, str]:
        return state_of(row)

    @column(_("分享的导购"))
    def guides(self, row: Any) -> str:
        return thousands(row.counts[0])

    @column(_("浏览"))
    def views(self, row: Any) -> str:
        return thousands(row.counts[1])

    @column(_("访客"))
    def visitors(self, row: Any) -> str:
        return thousands(row.counts[2])

    @column(_("发布时间"), ordering="published_at")
    def published(self, row: Material) -> str:
        return when(row.published_at)

    @operation(_("发布"), icon="send", variant="primary", path="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("发布后，范围内的导购在助手“素材”里看得到，可以转发"), _now("发出去的链接立刻能打开")]
        return self._ask(request, object_id, _("发布"), lines, materials.publish_material)

    @operation(_("撤回"), icon="undo", variant="danger", path="withdraw")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        guides, views, _visitors = count_material_views([row.pk]).get(row.pk, (0, 0, 0)) if row else (0, 0, 0)
        lines = [
            _now("%(guides)s 位导购分享过，被打开 %(views)s 次；撤回后这些链接都打不开，已有的数据留着")
            % {"guides": thousands(guides), "views": thousands(views)},
            _now("之后可以再发布，链接恢复"),
        ]
        return self._ask(request, object_id, _("撤回"), lines, materials.withdraw_material, is_dangerous=True)

    def _ask(
        self,
        request: HttpRequest,
        object_id: str,
        title: Any,
        lines: list[str],
        service: Callable[..., None],
        *,
        is_dangerous: bool = False,
    ) -> HttpResponse:

        def run(row: Any, cleaned: dict[str, Any]) -> str:
            service(material_id=row.pk, actor=staff_actor(request))
            return _now("已%(done)s") % {"done": title}

        return ask_about(
            self, request, object_id, title=title, lines=lines, run=run, is_dangerous=is_dangerous
        )


def state_of(row: Material) -> tuple[str, str]:
    """Its state as one sees it today, with the word for it."""
    now = clock.now()
    if row.state == MaterialState.PUBLISHED and row.ends_at is not None and row.ends_at <= now:
        return "over", _now("已结束")
    if row.state == MaterialState.PUBLISHED and row.starts_at is not None and row.starts_at > now:
        return "waiting", _now("未开始")
    return row.state, str(row.get_state_display())


def _pk(row: Any) -> int | None:
    return None if row is None else row.pk


def _numbers_panel(request: HttpRequest, row: Material) -> Panel | None:
    if row.state == MaterialState.DRAFT:
        return None
    numbers = sum_material(row.pk)
    guides = count_material_views([row.pk]).get(row.pk, (0, 0, 0))[0]
    facts = [
        (_("分享的导购"), thousands(guides)),
        (_("浏览"), thousands(numbers.view_count)),
        (_("访客"), thousands(numbers.visitor_count)),
        (_("领券"), thousands(numbers.claim_count)),
        (_("7 天内订单"), thousands(numbers.order_count)),
        (_("订单金额（元）"), money(numbers.amount_fen)),
    ]
    lines = [
        (
            _guide_link(share.guide),
            share.guide.store.name,
            thousands(share.view_count),
            thousands(share.visitor_count),
            when(share.shared_at),
        )
        for share in list_sharing_guides(row.pk)
    ]
    context = {
        "facts": facts,
        "heads": (_("导购"), _("门店"), _("浏览"), _("访客"), _("最近分享")),
        "rows": lines,
        "empty": _("还没有导购分享"),
        "note": _(
            "访客按微信账号或浏览器算。订单是认得出的会员打开后 7 天内买的，已减去退货。导购自己打开不算"
        ),
    }
    return Panel(_("分享数据"), "admin/xiaoer/materials/numbers.html", context)


def _guide_link(guide: Any) -> SafeString:
    url = reverse("admin:guides_guide_change", args=[guide.pk])
    return format_html('<a class="xe-link" href="{}">{}</a>', url, guide.name)


register_panel("campaigns.Material", _numbers_panel, order=10)
