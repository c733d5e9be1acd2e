"""商品与类目: what tills call goods, named by people or from a file."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Question,
    ServiceForms,
    ask,
    bound_data,
    column,
    operation,
    staff_actor,
    when,
)
from core.tables import open_table
from core.uploads import drop_file, keep_file
from sales import services
from sales.contracts import ProductLine
from sales.errors import CatalogUnusable
from sales.models import Category, Product

# What people call the columns.
_HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "code": ("商品编码", "编码", "货号", "SKU", "code"),
    "name": ("商品名称", "名称", "品名", "name"),
    "category_code": ("类目编码", "分类编码", "category_code"),
    "category_name": ("类目名称", "类目", "分类", "category_name"),
    "brand": ("品牌", "brand"),
}
_FAULTS: Final[Mapping[str, Any]] = {
    "code_missing": _("没有商品编码"),
    "code_unusable": _("商品编码超过 40 个字，或有不能用的字符"),
    "name_unusable": _("商品名称超过 80 个字，或有不能用的字符"),
    "category_code_unusable": _("类目编码超过 40 个字，或有不能用的字符"),
    "category_name_unusable": _("类目名称超过 60 个字，或有不能用的字符"),
    "brand_unusable": _("品牌超过 40 个字，或有不能用的字符"),
}
_MOST_BAD_SHOWN: Final = 100


class NamedFilter(ChoiceFilter):
    title = _("名称")
    parameter_name = "named"
    options = (("0", _("还没有名称")),)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(name="") if self.value() == "0" else queryset


class ProductsFileForm(DressedForm):
    file = forms.FileField(label=_("商品文件（CSV 或 XLSX）"))
    is_trial = forms.BooleanField(
        label=_("先试算，不写入"),
        required=False,
        initial=True,
        help_text=_("看过数字没有问题，再不勾选传一次"),
    )


@admin.register(Category)
class CategoryAdmin(ServiceForms, BaseAdmin):
    """Categories by code. Made by intake or a file, never by hand."""

    list_display = ("code", "name", "product_count")
    search_fields = ("code", "name")
    search_help_text = _("按类目编码或名称查找")
    ordering = ("code",)
    fields = ("code", "name")
    readonly_fields = ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(product_total=Count("products"))

    @column(_("商品数"), ordering="product_total")
    def product_count(self, row: Any) -> str:
        return f"{row.product_total:,}"

    def run_service(self, request: HttpRequest, row: Any, form: Any, change: bool) -> int:
        services.change_category(
            category_id=row.pk, name=form.cleaned_data["name"], actor=staff_actor(request)
        )
        return int(row.pk)


@admin.register(Product)
class ProductAdmin(ServiceForms, BaseAdmin):
    """Products by code. Made by intake or a file, never by hand."""

    list_display = ("code", "name", "brand", "category", "created")
    list_select_related = ("category",)
    list_filter = (("category", AutocompleteFilter), NamedFilter)
    search_fields = ("code", "name", "=brand")
    search_help_text = _("按商品编码、名称或品牌全称查找")
    ordering = ("-pk",)
    fields = ("code", "name", "brand", "category", "created")
    readonly_fields = ("code", "created")
    autocomplete_fields = ("category",)
    actions_list = ("import_file",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @column(_("登记时间"), ordering="pk")
    def created(self, row: Product) -> str:
        return when(row.created_at)

    def run_service(self, request: HttpRequest, row: Any, form: Any, change: bool) -> int:
        category = form.cleaned_data["category"]
        services.change_product(
            product_id=row.pk,
            name=form.cleaned_data["name"],
            category_id=category.pk if category is not None else None,
            brand=form.cleaned_data["brand"],
            actor=staff_actor(request),
        )
        return int(row.pk)

    @operation(_("导入商品"), icon="upload_file", path="import")
    def import_file(self, request: HttpRequest) -> HttpResponse:
        """The file, tried or taken over; the file is not kept."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        back_url = reverse("admin:sales_product_changelist")

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            with _lines(cleaned["file"]) as lines:
                report = services.import_products(
                    lines=lines,
                    is_trial=cleaned["is_trial"],
                    staff_id=request.user.pk or 0,
                    actor=staff_actor(request),
                )
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _now("导入商品"),
                "report": report,
                "is_trial": cleaned["is_trial"],
                "bad": [(number, _FAULTS[fault]) for number, fault in report.bad[:_MOST_BAD_SHOWN]],
                "again_url": request.path,
                "back_url": back_url,
            }
            return TemplateResponse(request, "admin/sales/products_done.html", context)

        question = Question(
            title=_now("导入商品"),
            submit=_("上传"),
            back_url=back_url,
            lines=[
                _now("第一行是表头：商品编码、商品名称、类目编码、类目名称、品牌；只有商品编码必须有"),
                _now("已有的商品按文件改名称、类目和品牌，空着的格子不改；最多 20 万行"),
            ],
        )
        form = ProductsFileForm(bound_data(request), request.FILES or None)
        return ask(self, request, question, run, form=form)


@contextlib.contextmanager
def _lines(upload: Any) -> Iterator[Iterator[ProductLine]]:
    """The lines of the upload, which is gone afterwards. Raises CatalogUnusable without a column of codes."""
    stored_as, _digest = keep_file(upload)
    try:
        with open_table(Path(settings.IMPORT_ROOT) / stored_as) as table:
            places = _places(table.headings)
            yield (
                ProductLine(
                    number=number,
                    **{
                        name: cells[place].strip() if place < len(cells) else ""
                        for name, place in places.items()
                    },
                )
                for number, cells in table.rows
            )
    finally:
        drop_file(stored_as)


def _places(headings: tuple[str, ...]) -> dict[str, int]:
    found = {
        name: next((place for place, text in enumerate(headings) if text.strip() in words), None)
        for name, words in _HEADINGS.items()
    }
    places = {name: place for name, place in found.items() if place is not None}
    if "code" not in places:
        raise CatalogUnusable(_now("文件里没有“商品编码”这一列"), field="file")
    return places
