"""The ladder, the chain's decisions about it, and reassessing everybody by them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
)

from core.admin import (
    BaseAdmin,
    DressedForm,
    OnlyRow,
    Question,
    ServiceForms,
    Tile,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    narrow,
    operation,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from core.admin.unfolded import Text
from members import selectors, services
from members.admin.points_rules import times
from members.contracts import TierDecisions, TierTerms
from members.models import Member, Tier, TierSettings

_FEN: Final = 100
_BP: Final = 10_000

name_actions(
    {
        "members.tier_created": _("新增等级"),
        "members.tier_changed_terms": _("修改等级"),
        "members.tier_retired": _("停用等级"),
        "members.tier_restored": _("启用等级"),
        "members.tier_settings_changed": _("修改等级设置"),
        "members.tier_changed": _("等级变动"),
        "members.tier_granted": _("指定等级"),
        "members.tier_grant_withdrawn": _("取消指定的等级"),
        "members.tiers_reassessed": _("等级到期评定"),
        "members.tiers_at_risk_announced": _("提醒保级"),
        "members.reassessment_requested": _("发起重新评定"),
        "members.reassessment_done": _("重新评定完成"),
    }
)
name_details(
    {
        "from_tier": _("原等级"),
        "to_tier": _("新等级"),
        "ended": _("指定到期"),
        "kept": _("保级"),
        "graced": _("宽限"),
        "risen": _("升级"),
        "fallen": _("降级"),
        "may_fall": _("允许降级"),
    }
)


def yuan(fen: int) -> str:
    """123450 → 1,234.50; whole yuan without the fen."""
    return f"{fen // _FEN:,}" if fen % _FEN == 0 else f"{fen / _FEN:,.2f}"


def rule_words(row: Tier) -> str:
    """How the tier is reached, in one line."""
    parts = []
    if row.spend_fen is not None:
        parts.append(_now("消费满 %(n)s 元") % {"n": yuan(row.spend_fen)})
    if row.order_count is not None:
        parts.append(_now("满 %(n)s 单") % {"n": thousands(row.order_count)})
    if row.growth is not None:
        parts.append(_now("成长值满 %(n)s") % {"n": thousands(row.growth)})
    if not parts:
        return _now("成为会员就有")
    return (_now("，并且") if row.mode == "all" else _now("，或")).join(parts)


class TierForm(forms.ModelForm[Tier]):
    """Money in yuan and multipliers as people say them; the service takes fen and basis points."""

    rank = forms.IntegerField(
        label=_("级别"), min_value=1, max_value=999, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("1 最低，数字越大等级越高"),
    )  # fmt: skip
    color = forms.RegexField(
        label=_("卡片颜色"), regex=r"^#[0-9A-Fa-f]{6}$", initial="#8C8C8C", widget=UnfoldAdminColorInputWidget,
        error_messages={"invalid": _("颜色请用 # 加 6 位，例如 #C9A15A")},
    )  # fmt: skip
    spend_fen = forms.DecimalField(
        label=_("消费额（元）"), min_value=Decimal("0.01"), max_digits=12, decimal_places=2, required=False,
        widget=UnfoldAdminDecimalFieldWidget, help_text=_("不要求就留空"),
    )  # fmt: skip
    order_count = forms.IntegerField(
        label=_("订单数"), min_value=1, max_value=10**9, required=False, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("不要求就留空"),
    )  # fmt: skip
    growth = forms.IntegerField(
        label=_("成长值"), min_value=1, max_value=10**9, required=False, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("不要求就留空"),
    )  # fmt: skip
    multiplier_bp = forms.DecimalField(
        label=_("积分倍数"), min_value=1, max_value=10, max_digits=6, decimal_places=4, initial=1,
        widget=UnfoldAdminDecimalFieldWidget, help_text=_("1 到 10，1.5 表示积分多给一半"),
    )  # fmt: skip

    class Meta:
        model = Tier
        fields = (
            "rank", "name", "color", "mode", "spend_fen", "order_count", "growth", "multiplier_bp", "benefits",
            "birthday_gift", "upgrade_gift",
        )  # fmt: skip
        help_texts = {
            "birthday_gift": _("礼品的编号，没有就留空"),
            "upgrade_gift": _("礼品的编号，没有就留空"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row.pk is not None and "spend_fen" in self.fields:
            self.initial["spend_fen"] = None if row.spend_fen is None else Decimal(row.spend_fen) / _FEN
            self.initial["multiplier_bp"] = f"{row.multiplier_bp / _BP:g}"

    def clean_spend_fen(self) -> int | None:
        value = self.cleaned_data["spend_fen"]
        return None if value is None else int(value * _FEN)

    def clean_multiplier_bp(self) -> int:
        return int(self.cleaned_data["multiplier_bp"] * _BP)

    def clean_color(self) -> str:
        return str(self.cleaned_data["color"]).upper()


class ReassessForm(DressedForm):
    """Whether anybody may fall; the numbers on the page are those of the box as it stands."""

    may_fall = forms.BooleanField(
        label=_("允许降级"), required=False, help_text=_("不打开时，达不到新条件的会员也保留现在的等级到期满")
    )


class HeadOfficeRules(ServiceForms, BaseAdmin):
    """Tiers are the whole chain's: everybody with the right may look, head office changes them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Tier)
class TierAdmin(HeadOfficeRules):
    """The ladder from its lowest rung, with how many members of the account's part of the chain stand on each."""

    form = TierForm
    list_display = ("rank", "card_name", "rule", "multiplier", "benefit_words", "member_count", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    search_help_text = _("按名称查找")
    ordering = ("-is_active", "rank", "pk")
    actions_list = ("reassess",)
    actions_detail = ("retire", "restore")
    list_before_template = "admin/xiaoer/tier_summary.html"
    fieldsets = (
        (None, {"fields": (("name", "rank"), "color")}),
        (_("怎样达到"), {"fields": ("mode", "spend_fen", ("order_count", "growth"))}),
        (_("有什么好处"), {"fields": ("multiplier_bp", "benefits", ("birthday_gift", "upgrade_gift"))}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        last = selectors.find_last_reassessment()
        context = {
            "needs_reassessment": selectors.needs_reassessment(),
            "reassessment": last,
            "reassessed_at": None if last is None else when(last.done_at or last.requested_at),
            "may_reassess": self.has_operate_permission(request),
            "reassess_url": reverse("admin:members_tier_reassess"),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        seen = None
        if not request.user.is_superuser:
            seen = narrow(Member, request.user, Member.objects.all()).values("pk")
        counts = selectors.count_by_tier(seen)
        for row in rows:
            row.member_total = counts.get(row.pk, 0)

    @column(_("名称"), ordering="name")
    def card_name(self, row: Tier) -> str:
        return format_html(
            '<span class="xe-tier"><svg class="xe-tier-dot" viewBox="0 0 12 12" aria-hidden="true">'
            '<circle cx="6" cy="6" r="6" fill="{}"/></svg>{}</span>',
            row.color,
            row.name,
        )

    @column(_("怎样达到"))
    def rule(self, row: Tier) -> str:
        return rule_words(row)

    @column(_("积分倍数"), ordering="multiplier_bp")
    def multiplier(self, row: Tier) -> str:
        return times(row.multiplier_bp)

    @column(_("会员权益"))
    def benefit_words(self, row: Tier) -> str:
        return "；".join(row.benefits.splitlines()) or "—"

    @column(_("会员数"))
    def member_count(self, row: Any) -> str:
        return thousands(row.member_total)

    def run_service(self, request: HttpRequest, row: Tier, form: Any, change: bool) -> int:
        terms, actor = TierTerms(**form.cleaned_data), staff_actor(request)
        if change:
            return services.change_tier(tier_id=row.pk, terms=terms, actor=actor).id
        return services.create_tier(terms=terms, actor=actor).id

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Retiring or restoring, whichever there is to do."""
        row = self.subject(request, str(object_id))
        if row is None or not self.has_operate_permission(request):
            return []
        fitting = {"retire" if row.is_active else "restore"}
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path in fitting]

    @operation(_("停用"), icon="block", variant="danger", path="retire")
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.retire_tier(tier_id=row.pk, actor=staff_actor(request))
            return _now("已停用「%(name)s」") % {"name": row.name}

        lines = [_now("有会员的等级不能停用。要换掉它，先改条件并重新评定，让会员离开这个等级")]
        title = _now("停用「%(name)s」") % {"name": row.name}
        question = Question(title, _("停用"), self._back(row), lines, is_dangerous=True)
        return ask(self, request, question, run, subject=row)

    @operation(_("启用"), icon="check", path="restore")
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.restore_tier(tier_id=row.pk, actor=staff_actor(request))
            return _now("已启用「%(name)s」") % {"name": row.name}

        title = _now("启用「%(name)s」") % {"name": row.name}
        return ask(self, request, Question(title, _("启用"), self._back(row)), run, subject=row)

    @operation(_("重新评定"), icon="sync", path="reassess")
    def reassess(self, request: HttpRequest) -> HttpResponse:
        """What today's rules would do to everybody, in numbers, and the button that lets them."""
        form = ReassessForm(bound_data(request))

        def run(cleaned: dict[str, Any]) -> str:
            services.request_reassessment(may_fall=cleaned["may_fall"], actor=staff_actor(request))
            return _now("已开始重新评定，完成后这里会显示结果")

        question = Question(
            title=_now("按现在的规则重新评定所有会员"),
            submit=_("开始评定"),
            back_url=reverse("admin:members_tier_changelist"),
            lines=[] if request.method == "POST" else _reassess_lines(),
        )
        return ask(self, request, question, run, form=form)

    def _back(self, row: Tier) -> str:
        return reverse("admin:members_tier_change", args=[row.pk])


def _reassess_lines() -> list[Text]:
    numbers = selectors.preview_reassessment(may_fall=True)
    return [
        _now("参与评定的会员 %(n)s 位") % {"n": thousands(numbers.seen_count)},
        _now("%(n)s 位会升级") % {"n": thousands(numbers.risen_count)},
        _now("%(n)s 位达不到现在的等级，允许降级时会马上降级") % {"n": thousands(numbers.fallen_count)},
        _now("%(n)s 位不变") % {"n": thousands(numbers.same_count)},
        _now("员工指定的等级不受影响"),
    ]


@admin.register(TierSettings)
class TierSettingsAdmin(OnlyRow, HeadOfficeRules):
    """One row for the chain."""

    fieldsets = (
        (_("统计周期"), {"fields": (("period", "period_months"),)}),
        (_("保级与降级"), {"fields": ("keeping", ("grace_days", "notice_days"), "descent")}),
    )

    def run_service(self, request: HttpRequest, row: TierSettings, form: Any, change: bool) -> int:
        decisions = TierDecisions(**form.cleaned_data)
        services.change_tier_settings(decisions=decisions, actor=staff_actor(request))
        return 1


def _tiles(request: HttpRequest) -> list[Tile]:
    """Only while somebody should look: the rules are newer than what members stand by."""
    if not selectors.needs_reassessment():
        return []
    url = reverse("admin:members_tier_changelist")
    return [Tile(_("等级规则改过，还没有重新评定"), "1", url, is_alarm=True)]


register_tiles("members.change_tier", _tiles, order=4)
