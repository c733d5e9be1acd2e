"""Standing rules: when a coupon comes by itself, for whom, and what became of each occasion."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.admin import (
    AutocompleteFilter,
    BaseAdmin,
    ChoiceFilter,
    Panel,
    ScopedReadOnlyAdmin,
    ServiceForms,
    TypedSearch,
    ask_about,
    column,
    name_actions,
    name_details,
    operation,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from coupons import selectors, services
from coupons.admin.fields import ChipsField, TicksField, YuanField
from coupons.admin.reasons import reason_words
from coupons.admin.template_form import goods_chips
from coupons.admin.terms_form import RowsField, TermsForm
from coupons.contracts import StandingCounts, StandingPreview, StandingTerms
from coupons.models import IssueState, Occasion, RuleState, StandingIssue, StandingRule
from coupons.services.standing_rules import WANT_OF_COUPONS
from members import selectors as member_selectors
from members.admin.cells import MemberCells

name_actions(
    {
        "coupons.rule_created": _("新增自动发券规则"),
        "coupons.rule_changed": _("修改自动发券规则"),
        "coupons.rule_switched_on": _("开启自动发券"),
        "coupons.rule_switched_off": _("关闭自动发券"),
        "coupons.rule_retried": _("重新发放没发到的"),
    }
)
name_details({"member_count": _("会员数"), "batch_id": _("批次编号")})
_COLOURS = {"on": "success", "off": "info"}
_ISSUE_COLOURS = {"given": "success", "waiting": "warning", "refused": "danger"}


def _tiers() -> list[tuple[int, str]]:
    return [(tier.id, tier.name) for tier in member_selectors.list_tiers()]


def _tiers_or_none() -> list[tuple[int | str, str]]:
    return [("", "—"), *_tiers()]


def _sources() -> list[tuple[str, str]]:
    return [(source.value, source.label) for source in member_selectors.list_sources()]


_PLAIN: Final = widgets.UnfoldAdminCheckboxSelectMultipleWidget


class RuleForm(TermsForm):
    """When, which batch, for whom."""

    tier_id = forms.TypedChoiceField(
        label=_("等级"),
        choices=_tiers_or_none,
        coerce=int,
        empty_value=None,
        required=False,
        help_text=_("「升到指定等级」和「指定等级每月一次」填写"),
    )
    store_ids = RowsField(
        "guides.Store",
        label=_("门店"),
        help_text=_("按会员现在的导购所在门店算，「购物之后」按成交门店算；都不选表示不限"),
    )
    region_ids = RowsField("guides.Region", label=_("区域"), help_text=_("包括下级区域"))
    tier_ids = TicksField(
        label=_("会员等级"), choices=_tiers, coerce=int, help_text=_("都不选表示不限"), widget=_PLAIN
    )
    sources = TicksField(
        label=_("会员来源"), choices=_sources, coerce=str, help_text=_("都不选表示不限"), widget=_PLAIN
    )
    least_fen = YuanField(label=_("满多少元"), required=False, help_text=_("退货后剩下的金额；留空表示不限"))
    category_codes = ChipsField(
        label=_("商品类目"),
        help_text=_("填了只算这些类目的金额，留空表示不限"),
        widget=goods_chips("categories"),
    )

    class Meta:
        model = StandingRule
        fields = ("name", "occasion", "batch", "days_before", "is_first_only", "starts_at", "ends_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("tier_id", "store_ids", "region_ids", "tier_ids", "sources", "category_codes"):
            self.initial.setdefault(name, getattr(self.instance, name))
        self.initial.setdefault("least_fen", self.instance.least_fen or None)
        if "occasion" in self.fields:
            self.fields["occasion"].help_text = _("生日和每月一次在早上 9 点发，其余的一发生就发")
        if "days_before" in self.fields:
            self.fields["days_before"].help_text = _("只用于生日券；0 表示生日当天")
        if "batch" in self.fields:
            self.fields["batch"].help_text = _(
                "批次要勾选「系统发放」；每年、每月或每次都发的，别把每人限领设得太小"
            )


@admin.register(StandingRule)
class StandingRuleAdmin(ServiceForms, BaseAdmin):
    """Rules with what they have given so far."""

    form = RuleForm
    list_display = ("name", "occasion", "batch", "state_label", "given", "waiting", "refused")
    list_select_related = ("batch",)
    list_filter = ("occasion", "state")
    search_fields = ("name", "batch__name")
    search_help_text = _("按规则或批次名称查找")
    ordering = ("-pk",)
    autocomplete_fields = ("batch",)
    actions_detail = ("switch_on", "switch_off", "preview", "retry")

    fieldsets = (
        (None, {"fields": ("name", ("occasion", "batch"), ("tier_id", "days_before"))}),
        (_("购物之后"), {"fields": (("least_fen", "is_first_only"), "category_codes")}),
        (_("发给谁"), {"fields": ("store_ids", "region_ids", "tier_ids", "sources")}),
        (_("有效时间"), {"fields": ("starts_at", "ends_at")}),
    )

    class Media:
        css: ClassVar = {"all": ("admin_xiaoer/coupons.css",)}
        js = ("admin_xiaoer/coupons.js",)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        counts = selectors.count_standing_issues([row.pk for row in rows])
        for row in rows:
            row.counts = counts[row.pk]

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: StandingRule) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已发放"))
    def given(self, row: Any) -> str:
        return thousands(row.counts.given_count)

    @column(_("等待发放"))
    def waiting(self, row: Any) -> str:
        return thousands(row.counts.waiting_count)

    @column(_("没有发到"))
    def refused(self, row: Any) -> str:
        return thousands(row.counts.refused_count)

    def run_service(self, request: HttpRequest, row: StandingRule, form: Any, change: bool) -> int:
        cleaned, actor = dict(form.cleaned_data), staff_actor(request)
        cleaned["batch_id"] = cleaned["batch"].pk
        cleaned["least_fen"] = cleaned["least_fen"] or 0
        names = {field.name for field in dataclasses.fields(StandingTerms)}
        terms = StandingTerms(**{name: cleaned[name] for name in names})
        if change:
            return services.change_standing_rule(rule_id=row.pk, terms=terms, actor=actor).id
        return services.create_standing_rule(terms=terms, actor=actor).id

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for the rule as it is."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        missed = StandingIssue.objects.filter(rule=row, state=IssueState.REFUSED, reason__in=WANT_OF_COUPONS)
        is_on = row.state == RuleState.ON
        hidden = {"switch_on": is_on, "switch_off": not is_on, "retry": not missed.exists()}
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if not hidden.get(one.action_name.partition("standingrule_")[2], False)]

    @operation(_("试算"), icon="calculate", path="preview")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        for line in preview_lines(selectors.preview_standing_rule(row.pk)):
            messages.info(request, line)
        return HttpResponseRedirect(reverse("admin:coupons_standingrule_change", args=[row.pk]))

    @operation(_("开启"), icon="play_arrow", variant="primary", path="on")
    def switch_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        lines = preview_lines(selectors.preview_standing_rule(row.pk)) if row is not None else []
        lines.append(_now("开启之前发生的不补发"))
        return self._ask(request, object_id, _("开启"), lines, services.switch_rule_on)

    @operation(_("关闭"), icon="pause", path="off")
    def switch_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("关闭后不再发放；排队等待的会员会留着，重新开启后补发"), _now("已发出的券照常使用")]
        return self._ask(request, object_id, _("关闭"), lines, services.switch_rule_off)

    @operation(_("重新发放没发到的"), icon="replay", path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("因为券领完或预算用完没发到的会员重新排队；请先给批次追加数量或预算")]

        def again(*, rule_id: int, actor: Any) -> str:
            count = services.retry_standing_issues(rule_id=rule_id, actor=actor)
            return _now("%(n)s 位会员重新排队，一分钟内开始发放") % {"n": thousands(count)}

        return self._ask(request, object_id, _("重新发放没发到的"), lines, again)

    def _ask(
        self,
        request: HttpRequest,
        object_id: str,
        title: Any,
        lines: list[str],
        service: Callable[..., Any],
    ) -> HttpResponse:

        def run(row: Any, cleaned: dict[str, Any]) -> str:
            answer = service(rule_id=row.pk, actor=staff_actor(request))
            return answer if isinstance(answer, str) else _now("%(title)s：已完成") % {"title": title}

        return ask_about(self, request, object_id, title=title, lines=lines, run=run)


class IssueStateFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in IssueState)


@admin.register(StandingIssue)
class StandingIssueAdmin(MemberCells, TypedSearch, ScopedReadOnlyAdmin):
    """What rules gave to whom, the newest first."""

    list_display = ("noted", "rule", "member_name", "cause", "state_label", "why", "coupon")
    list_select_related = ("rule", "coupon")
    list_filter = (IssueStateFilter, ("rule", AutocompleteFilter))
    search_fields = ("rule__name",)
    search_help_text = _("按规则名称，或会员姓名、手机号、会员码查找")
    ordering = ("-pk",)
    has_audit_box = False
    fieldsets = (
        (None, {"fields": (("rule", "member_name"), ("cause", "state_label"), ("why", "coupon"))}),
        (_("时间"), {"fields": (("noted", "settled"),)}),
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        known = member_selectors.search_member_ids(text)
        return queryset.filter(Q(member_id__in=known) | Q(rule__name__icontains=text))

    @column(_("记录时间"), ordering="noted_at")
    def noted(self, row: StandingIssue) -> str:
        return when(row.noted_at)

    @column(_("发放时间"))
    def settled(self, row: StandingIssue) -> str:
        return when(row.settled_at)

    @column(_("由头"))
    def cause(self, row: StandingIssue) -> str:
        return cause_words(row)

    @column(_("结果"), ordering="state", labels=_ISSUE_COLOURS)
    def state_label(self, row: StandingIssue) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("原因"))
    def why(self, row: StandingIssue) -> str:
        return why_words(row)


def why_words(row: StandingIssue) -> str:
    """Why she has none, or has it no more."""
    if row.withdrawal:
        return str(row.get_withdrawal_display())
    return reason_words(row.reason) if row.reason else "—"


def cause_words(row: StandingIssue) -> str:
    """The occasion of a row fetched with its rule: of those that come again, which one."""
    suffix = row.occasion_key.partition(":")[2]
    if row.rule.occasion == Occasion.BIRTHDAY:
        return _now("%(year)s 年生日") % {"year": suffix}
    if row.rule.occasion == Occasion.TIER_MONTHLY:
        return _now("%(month)s 月度礼") % {"month": suffix}
    return str(row.rule.get_occasion_display())


def preview_lines(preview: StandingPreview) -> list[str]:
    """What a dry run found, in words."""
    count = thousands(preview.member_count)
    if preview.is_of_purchases:
        lines = [
            _now("开启后每笔新成交的订单发一张，之前的订单不补发；退货后不再满足条件的，没用的券自动作废")
        ]
    elif preview.is_looking_back:
        lines = [_now("最近 7 天有 %(n)s 位会员符合，开启后按新发生的发放") % {"n": count}]
    else:
        lines = [_now("今天会发给 %(n)s 位会员") % {"n": count}]
    lines.append(_now("批次还剩 %(n)s 张") % {"n": thousands(preview.remaining_count)})
    if preview.why_not:
        lines.append(_now("批次现在发不了：%(why)s") % {"why": preview.why_not_words})
    if preview.is_once_only:
        lines.append(_now("批次设了每人限领，同一位会员以后再遇到可能就发不到了"))
    return lines


def _counts_panel(request: HttpRequest, rule: StandingRule) -> Panel:
    counts: StandingCounts = selectors.count_standing_issues([rule.pk])[rule.pk]
    facts = [
        (_("已发放"), thousands(counts.given_count)),
        (_("等待发放"), thousands(counts.waiting_count)),
        *((reason_words(why), thousands(n)) for why, n in sorted(counts.refused.items())),
    ]
    return Panel(_("发放情况"), "admin/xiaoer/panel_facts.html", {"facts": facts})


def _log_panel(request: HttpRequest, rule: StandingRule) -> Panel:
    page = StandingIssueAdmin(StandingIssue, admin.site)
    rows = list(page.get_queryset(request).filter(rule=rule).select_related("rule").order_by("-pk")[:20])
    cards = member_selectors.list_member_cards({row.member_id for row in rows})
    context: dict[str, Any] = {
        "heads": (_("时间"), _("会员"), _("由头"), _("结果"), _("原因")),
        "rows": [
            (
                when(row.settled_at or row.noted_at),
                cards[row.member_id].display_name,
                cause_words(row),
                str(row.get_state_display()),
                why_words(row),
            )
            for row in rows
        ],
        "empty": _("还没有发放过"),
    }
    if rows:
        listed = reverse("admin:coupons_standingissue_changelist")
        context |= {"more_url": f"{listed}?rule__id__exact={rule.pk}", "more_text": _("全部记录")}
    return Panel(_("最近的发放记录"), "admin/xiaoer/panel_table.html", context)


register_panel("coupons.StandingRule", _counts_panel, order=40)
register_panel("coupons.StandingRule", _log_panel)
