"""归属规则: in their order, written in percent, switched on and off, tried on the sales of last month."""

import datetime as dt
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    BaseAdmin,
    DayInput,
    DressedForm,
    OwnPage,
    Question,
    ask,
    bound_data,
    staff_actor,
)
from core.errors import Refusal
from coupons.admin.fields import TicksField
from coupons.selectors import visible_store_ids
from guides import selectors as guide_selectors
from sales import services
from sales.admin.desk_text import share_words
from sales.admin.words import month_words
from sales.contracts import RuleDraft
from sales.models import AttributionRule, ShareRole
from sales.selectors.channels import channel_words

_PARTS: Final = (
    ("serving_bp", ShareRole.SERVING),
    ("exclusive_bp", ShareRole.EXCLUSIVE),
    ("sharing_bp", ShareRole.SHARING),
    ("store_bp", ShareRole.STORE),
)
_VERBS: Final = ("up", "down", "on", "off")


class PercentField(forms.DecimalField):
    """70 on the page, 7,000 basis points in the rule."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_digits=5, decimal_places=2, min_value=0, max_value=100, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 100:g}" if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        number = super().clean(value)
        return 0 if number is None else int(number * 100)


class RuleForm(DressedForm):
    """What a rule says."""

    name = forms.CharField(label=_("规则名称"), max_length=40)
    serving_bp = PercentField(label=_("接待导购（%）"))
    exclusive_bp = PercentField(label=_("专属导购（%）"))
    sharing_bp = PercentField(label=_("分享导购（%）"))
    store_bp = PercentField(
        label=_("门店（%）"), help_text=_("四份合计 100%。有份的导购这一单都要有，规则才适用")
    )
    crosses_owners = forms.BooleanField(
        label=_("允许分给其他经销商的导购"),
        required=False,
        help_text=_("不勾选时，专属导购或分享导购属于别的经销商（或直营）就当作没有，业绩留在成交门店这边"),
    )
    channels = forms.CharField(
        label=_("适用渠道"), required=False, help_text=_("渠道编码用逗号分开，如 mini,shop；留空是全部渠道")
    )
    brands = forms.CharField(
        label=_("适用品牌"),
        required=False,
        help_text=_("品牌用逗号分开；整单商品都是这些品牌时才适用，没有登记品牌的商品不算；留空是全部"),
    )
    region_ids = TicksField(label=_("适用区域（含下级，不选是全部）"), coerce=int)
    dealer_ids = TicksField(label=_("适用经销商（不选是全部门店）"), coerce=int)
    starts_on = forms.DateField(label=_("开始日期"), required=False, widget=DayInput)
    ends_on = forms.DateField(label=_("结束日期（含）"), required=False, widget=DayInput)

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def __init__(self, row: AttributionRule | None, data: Any) -> None:
        first: dict[str, Any] = {"store_bp": 10_000}
        if row is not None:
            first = {name: getattr(row, name) for name in self.base_fields} | {
                "channels": ",".join(row.channels),
                "brands": "，".join(row.brands),
            }
        super().__init__(data, initial=first)
        regions: Any = self.fields["region_ids"]
        regions.choices = [(one.id, one.name) for one in guide_selectors.list_region_tree()]
        dealers: Any = self.fields["dealer_ids"]
        dealers.choices = list(guide_selectors.list_dealer_names().items())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            total = sum(cleaned[name] for name, _role in _PARTS)
            if total != 10_000:
                self.add_error(
                    "store_bp", _now("四份合计是 %(n)s%%，要正好 100%%") % {"n": f"{total / 100:g}"}
                )
        return cleaned

    def draft(self) -> RuleDraft:
        values = dict(self.cleaned_data)
        for name in ("channels", "brands"):
            values[name] = tuple(values[name].replace("，", ",").split(","))
        return RuleDraft(**values)


@admin.register(AttributionRule)
class AttributionRuleAdmin(OwnPage, BaseAdmin):
    """Rules are the chain's: those who see all of it write them, others with the right read."""

    ordering = ("position",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _sees_all(request)

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_operate_permission(request, obj) and _sees_all(request)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/do/<slug:verb>/", "sales_rule_do", self.do_view),
            ("try/", "sales_rules_try", self.try_view),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = list(AttributionRule.objects.order_by("position"))
        regions = {one.id: one.name for one in guide_selectors.list_region_tree()}
        dealers = guide_selectors.list_dealer_names()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("归属规则"),
            "rules": [
                {
                    "row": row,
                    "parts": parts_words(row),
                    "conditions": conditions_words(row, regions, dealers),
                    "url": reverse("admin:sales_attributionrule_change", args=[row.pk]),
                    "history_url": reverse("admin:sales_attributionrule_history", args=[row.pk]),
                    "is_first": place == 0,
                    "is_last": place == len(rows) - 1,
                }
                for place, row in enumerate(rows)
            ],
            "may_operate": self.has_operate_permission(request),
            "may_try": self._may_try(request),
            "add_url": reverse("admin:sales_attributionrule_add") if self.has_add_permission(request) else "",
            "month": _last_month(),
        }
        return TemplateResponse(request, "admin/sales/rules.html", context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RuleForm(None, bound_data(request))

        def run(cleaned: dict[str, Any]) -> str:
            services.create_rule(draft=form.draft(), actor=staff_actor(request))
            return _now("已新增，排在最后，还没有启用；先试算再启用")

        return ask(self, request, _question(_("新增归属规则")), run, form=form)

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The form for whoever may write, the same without effect for others."""
        form = RuleForm(row, bound_data(request))

        def run(cleaned: dict[str, Any]) -> str:
            if not self.has_operate_permission(request):
                raise PermissionDenied
            services.change_rule(rule_id=row.pk, draft=form.draft(), actor=staff_actor(request))
            return _now("已保存，以后的单据按新的规则归属")

        lines = [_now("改动只影响以后入账的单据，已归属的不变")] if row.is_active else []
        return ask(
            self, request, _question(_now("归属规则 %(n)s") % {"n": row.position}, lines), run, form=form
        )

    def do_view(self, request: HttpRequest, pk: int, verb: str, model_admin: Any = None) -> HttpResponse:
        """Up, down, on, off: by POST only."""
        if request.method != "POST" or verb not in _VERBS or not self.has_operate_permission(request):
            raise PermissionDenied
        try:
            if verb in ("up", "down"):
                services.move_rule(rule_id=pk, is_up=verb == "up", actor=staff_actor(request))
            else:
                services.switch_rule(rule_id=pk, is_active=verb == "on", actor=staff_actor(request))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("admin:sales_attributionrule_changelist"))

    def try_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """A trial over last month begins: by POST only; `rule` names one to be switched the other way."""
        if request.method != "POST" or not self._may_try(request):
            raise PermissionDenied
        asked = request.POST.get("rule", "")
        switched = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 12 else None
        since = _last_month()
        until = clock.today().replace(day=1)
        row = AttributionRule.objects.filter(pk=switched).first() if switched is not None else None
        words = _now("%(month)s，按现在的规则") % {"month": month_words(since)}
        if row is not None:
            verb = _now("停用") if row.is_active else _now("启用")
            words = _now("%(month)s，%(verb)s“%(rule)s”以后") % {
                "month": month_words(since), "verb": verb, "rule": row.name,
            }  # fmt: skip
        try:
            job = services.start_trial(
                staff_id=request.user.pk or 0, since=since, until=until, switched_id=switched, words=words,
                actor=staff_actor(request),
            )  # fmt: skip
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse("admin:sales_attributionrule_changelist"))
        return HttpResponseRedirect(reverse("admin:sales_deskjob_change", args=[job.pk]))

    def _may_try(self, request: HttpRequest) -> bool:
        """The answer names sums of the whole chain."""
        return self.has_operate_permission(request) and request.user.has_perm("sales.view_deskjob")


def parts_words(row: AttributionRule) -> str:
    """ "专属导购 70%，门店 30%"."""
    parts = ((role, getattr(row, name)) for name, role in _PARTS)
    return _now("，").join(f"{role.label} {share_words(part)}" for role, part in parts if part)


def conditions_words(row: AttributionRule, regions: dict[int, str], dealers: dict[int, str]) -> list[str]:
    """When a rule holds; nothing: always."""
    words = []
    if row.region_ids:
        words.append(_now("区域：") + "、".join(regions.get(one, str(one)) for one in row.region_ids))
    if row.dealer_ids:
        words.append(_now("经销商：") + "、".join(dealers.get(one, str(one)) for one in row.dealer_ids))
    if row.channels:
        words.append(_now("渠道：") + "、".join(map(channel_words, row.channels)))
    if row.brands:
        words.append(_now("品牌：") + "、".join(row.brands))
    if row.starts_on or row.ends_on:
        words.append(f"{row.starts_on or '…'} – {row.ends_on or '…'}")
    if row.crosses_owners:
        words.append(_now("可分给其他经销商的导购"))
    return words


def _question(title: Any, lines: Any = ()) -> Question:
    back_url = reverse("admin:sales_attributionrule_changelist")
    return Question(title=title, submit=_("保存"), back_url=back_url, lines=lines)


def _last_month() -> dt.date:
    return (clock.today().replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def _sees_all(request: HttpRequest) -> bool:
    return visible_store_ids(request.user) is None  # type: ignore[arg-type]
