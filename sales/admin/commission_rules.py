"""提成规则: a form in the words of a shop, an example of what it pays, and a trial over a month."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from core import clock
from core.admin import BaseAdmin, Panel, ServiceForms, column, operation, staff_actor, thousands
from core.admin.forms import dress
from coupons.admin.fields import ChipsField, ChipsWidget
from coupons.selectors.goods import GOODS
from guides import selectors as guide_selectors
from members.selectors.conditions import find_keys
from sales import selectors, services
from sales.admin.words import month_words, yuan
from sales.models import CommissionKind, CommissionRule
from sales.selectors.commission_sources import list_terms, terms_of
from sales.services.commission_rules import work_commission_example

_COLOURS: Final = {"sales": "info", "bounty": "success", "target": "warning"}
_MOST_TRIED: Final = 200
_MOST_TYPED: Final = 4_000
_SEPARATORS: Final = re.compile(r"[\s,，;；|]+")


class StepsField(forms.CharField):
    """One step a line: where it begins, its percent, and for a target's bonus a fixed sum."""

    widget = forms.Textarea(attrs={"rows": 5})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(
            f"{start / 100:g}  {rate / 100:g}%" + (f"  {fixed / 100:g}" if fixed else "")
            for start, rate, fixed in value
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial), data))

    def clean(self, value: Any) -> list[list[int]]:
        steps = []
        for number, told in enumerate(str(value or "").splitlines(), 1):
            parts = [part for part in _SEPARATORS.split(told.strip()) if part]
            if not parts:
                continue
            if len(parts) not in {2, 3}:
                raise ValidationError(
                    _now("第 %(n)s 行要写两三个数：起点、比例、固定奖金（可不写）") % {"n": number}
                )
            steps.append([_hundredths(part, number) for part in parts] + [0] * (3 - len(parts)))
        return steps


def _hundredths(text: str, number: int) -> int:
    try:
        value = Decimal(text.rstrip("%％元").replace("¥", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != round(value, 2) or abs(value) > 10**10:
        raise ValidationError(
            _now("第 %(n)s 行的「%(text)s」不是数字，最多两位小数") % {"n": number, "text": text[:20]}
        )
    return int(value * 100)


class YuanField(forms.DecimalField):
    """Yuan on the page, fen for the service."""

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 100:g}" if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        return int((super().clean(value) or 0) * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class CommissionRuleForm(forms.ModelForm[CommissionRule]):
    """A rule as a shop owner thinks of it."""

    steps = StepsField(
        label=_("分档"),
        required=False,
        help_text=_(
            "一行一档。销售提成写「本月卖到多少元 比例」，第一行从 0 开始，例如：0 2% 换行 30000 3%。"
            "目标奖写「完成率 比例 固定奖金」，例如：80 0.5% 换行 100 1% 500"
        ),
    )
    bounty_fen = YuanField(
        label=_("每人奖励（元）"), required=False, max_digits=10, decimal_places=2, min_value=0
    )
    category_codes = ChipsField(
        label=_("只算这些类目"),
        help_text=_("不填就是全部类目"),
        widget=ChipsWidget(
            lambda: reverse("admin:sales_commissionrule_pick"),
            lambda codes: selectors.list_category_names(codes),
        ),
    )
    region_ids = forms.MultipleChoiceField(
        label=_("适用区域"),
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget(),
        help_text=_("不选就是全部"),
    )
    dealer_ids = forms.MultipleChoiceField(
        label=_("适用经销商"),
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget(),
        help_text=_("不选就是全部，包括直营店"),
    )

    class Meta:
        model = CommissionRule
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            (
                "region_ids",
                [
                    (str(node.id), "　" * node.depth + node.name)
                    for node in guide_selectors.list_region_tree()
                ],
            ),
            ("dealer_ids", [(str(pk), name) for pk, name in guide_selectors.list_dealer_names().items()]),
        ):
            if name in self.fields:
                self.fields[name].choices = choices  # type: ignore[attr-defined]
        for field in self.fields.values():
            dress(field)

    def _post_clean(self) -> None:
        """Nothing is checked here: the service says what is wrong, in words of its own."""

    def clean_category_codes(self) -> list[str]:
        return list(self.cleaned_data["category_codes"])

    def clean_region_ids(self) -> list[int]:
        return [int(one) for one in self.cleaned_data["region_ids"]]

    def clean_dealer_ids(self) -> list[int]:
        return [int(one) for one in self.cleaned_data["dealer_ids"]]


@admin.register(CommissionRule)
class CommissionRuleAdmin(ServiceForms, BaseAdmin):
    """Rules in the order in which they are tried: of each kind the first that fits counts."""

    form = CommissionRuleForm
    list_display = ("position", "name", "kind_label", "pays", "where", "when_words", "is_active")
    list_display_links = ("position", "name")
    ordering = ("position",)
    actions_detail = ("try_it",)
    fieldsets = (
        (None, {"fields": (("name", "position", "is_active"), ("kind", "mode"))}),
        (
            _("怎么算"),
            {
                "fields": ("steps", ("bounty_metric", "bounty_fen")),
                "description": _(
                    "销售提成和目标奖填分档，按人奖励填后两项。每条规则一个月的提成合计四舍五入到分，再按日期分到每一笔，"
                    "所以明细加起来和合计一分不差"
                ),
            },
        ),
        (
            _("适用范围"),
            {"fields": ("category_codes", ("region_ids", "dealer_ids"), "role", ("starts_on", "ends_on"))},
        ),
    )

    class Media:
        css: ClassVar = {"all": ("admin_xiaoer/coupons.css",)}
        js = ("admin_xiaoer/coupons.js",)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("pick/", "sales_commissionrule_pick", self.pick_view),)

    def pick_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The categories that are meant by what was typed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        typed = str(next(iter(request.GET.values()), ""))[:_MOST_TYPED]
        context = {"found": find_keys(GOODS, "categories", typed), "takes_typed": True}
        return TemplateResponse(request, "admin/xiaoer/coupons/_picker_found.html", context)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """What the categories of the page are called."""
        names = selectors.list_category_names({code for row in rows for code in row.category_codes})
        for row in rows:
            row.category_names = [names[code] for code in row.category_codes]

    def run_service(self, request: HttpRequest, row: CommissionRule, form: Any, change: bool) -> int:
        return services.write_commission_rule(
            values=form.cleaned_data, rule_id=row.pk if change else None, actor=staff_actor(request)
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        last = CommissionRule.objects.order_by("-position").values_list("position", flat=True).first()
        return {"position": (last or 0) + 10, "kind": "sales", **super().get_changeform_initial_data(request)}

    @column(_("类型"), ordering="kind", labels=_COLOURS)
    def kind_label(self, row: CommissionRule) -> tuple[str, str]:
        return row.kind, str(row.get_kind_display())

    @column(_("怎么算"))
    def pays(self, row: CommissionRule) -> str:
        if row.kind == CommissionKind.BOUNTY:
            return f"{row.get_bounty_metric_display()} {yuan(row.bounty_fen)}"
        sign = "%" if row.kind == CommissionKind.TARGET else ""
        return " · ".join(
            f"{start / 100:,.0f}{sign} → {rate / 100:g}%" + (f" + {yuan(fixed)}" if fixed else "")
            for start, rate, fixed in row.steps
        )

    @column(_("范围"))
    def where(self, row: Any) -> str:
        _stores, regions, dealers = guide_selectors.list_place_names(
            region_ids=row.region_ids, dealer_ids=row.dealer_ids
        )
        role = str(row.get_role_display()) if row.role else ""
        told = [*regions.values(), *dealers.values(), *row.category_names, role]
        return "、".join(one for one in told if one) or _now("全部")

    @column(_("有效期"))
    def when_words(self, row: CommissionRule) -> str:
        if row.starts_on is None and row.ends_on is None:
            return _now("一直有效")
        return f"{row.starts_on or ''} — {row.ends_on or ''}"

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """An example first."""
        below = super().below_form(request, instance)
        lines = work_commission_example(terms=terms_of(instance))
        example = Panel(_("举例"), "admin/xiaoer/sales/panel_lines.html", {"lines": lines})
        return below | {"panels": [example, *below["panels"]]}

    @operation(_("试算一个月"), icon="calculate", needs=("view",), path="try")
    def try_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everybody's month with this rule and without it, on the last month that is open."""
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        this = clock.today().replace(day=1)
        last = selectors.add_months(this, -1)
        month = last if selectors.state_of(last) == "open" else this
        without = [one for one in list_terms() if one.id != row.pk]
        with_it = sorted([*without, terms_of(row)], key=lambda one: one.position)
        told, after = selectors.try_commissions(month, [without, with_it])
        before = {one.guide_id: one for one in told}
        lines: list[dict[str, Any]] = [
            {
                "guide": f"{one.guide_name}（{one.guide_number}）",
                "store": one.store_name,
                "sales": yuan(one.sales_fen),
                "before": yuan(_earned(before.get(one.guide_id))),
                "after": yuan(_earned(one)),
                "more_fen": _earned(one) - _earned(before.get(one.guide_id)),
                "more": yuan(_earned(one) - _earned(before.get(one.guide_id))),
            }
            for one in after
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("试算 · %(name)s · %(month)s") % {"name": row.name, "month": month_words(month)},
            "lines": sorted(lines, key=lambda one: -abs(one["more_fen"]))[:_MOST_TRIED],
            "guide_count": thousands(len(lines)),
            "is_cut": len(lines) > _MOST_TRIED,
            "before": yuan(sum(map(_earned, before.values()))),
            "after": yuan(sum(map(_earned, after))),
            "changed_count": sum(1 for one in lines if one["more_fen"]),
            "back_url": reverse("admin:sales_commissionrule_change", args=[row.pk]),
        }
        return TemplateResponse(request, "admin/xiaoer/sales/commission_trial.html", context)


def _earned(one: Any) -> int:
    return 0 if one is None else one.earned_fen + one.bonus_fen
