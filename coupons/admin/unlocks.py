"""Sharing to unlock: offers with their numbers, and the links members shared."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
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
    narrow,
    operation,
    percent,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from coupons import selectors, services
from coupons.admin.terms_form import TermsForm
from coupons.contracts import UnlockTerms
from coupons.models import OfferState, ShareState, UnlockHelp, UnlockOffer, UnlockShare
from coupons.selectors.unlocks import state_of_share, why_unreleased
from members import selectors as member_selectors

name_actions(
    {
        "coupons.offer_created": _("新增分享裂变"),
        "coupons.offer_changed": _("修改分享裂变"),
        "coupons.offer_paused": _("暂停分享裂变"),
        "coupons.offer_resumed": _("恢复分享裂变"),
        "coupons.offer_ended": _("结束分享裂变"),
        "coupons.unlocks_retried": _("补发解锁的券"),
    }
)
_COLOURS = {"open": "success", "paused": "warning", "ended": "danger"}
_SHARE_COLOURS = {"collecting": "info", "unlocked": "success", "expired": "warning"}


class OfferStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in OfferState)


class ShareStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ShareState)


class OfferForm(TermsForm):
    """What both sides get, and how many friends it takes."""

    class Meta:
        model = UnlockOffer
        fields = "__all__"


@admin.register(UnlockOffer)
class UnlockOfferAdmin(ServiceForms, BaseAdmin):
    """Offers, the newest first, with how far they carried."""

    form = OfferForm
    list_display = ("name", "batch", "friend_batch", "rule", "state_label", "shares", "helpers", "unlocked")
    list_filter = (OfferStateFilter,)
    list_select_related = ("batch", "friend_batch")
    search_fields = ("name", "batch__name", "friend_batch__name")
    search_help_text = _("按活动名称或批次名称查找")
    ordering = ("-pk",)
    autocomplete_fields = ("batch", "friend_batch")
    actions_detail = ("pause", "resume", "retry", "end")
    fieldsets = (
        (None, {"fields": ("name", ("batch", "friend_batch"))}),
        (_("怎么解锁"), {"fields": (("needed_count", "lasts_hours"), "new_members_only")}),
        (_("活动时间"), {"fields": ("opens_at", "closes_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("batch", "friend_batch")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for the offer as it is."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        possible = {
            "pause": row.state == OfferState.OPEN,
            "resume": row.state == OfferState.PAUSED,
            "end": row.state != OfferState.ENDED,
            "retry": selectors.sum_unlock_offers([row.pk])[row.pk].waiting_count > 0,
        }
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if possible.get(action.path, True)]

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        sums = selectors.sum_unlock_offers([row.pk for row in rows])
        for row in rows:
            row.sums = sums[row.pk]

    @column(_("规则"))
    def rule(self, row: UnlockOffer) -> str:
        words = _now("%(hours)s 小时内 %(n)s 位好友") % {"hours": row.lasts_hours, "n": row.needed_count}
        return words + _now("，只算新朋友") if row.new_members_only else words

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: UnlockOffer) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("发起"))
    def shares(self, row: Any) -> str:
        return thousands(row.sums.share_count)

    @column(_("好友"))
    def helpers(self, row: Any) -> str:
        return thousands(row.sums.helper_count)

    @column(_("解锁"))
    def unlocked(self, row: Any) -> str:
        sums = row.sums
        words = thousands(sums.unlocked_count)
        if sums.unlocked_count:
            words += f"（{percent(sums.unlocked_count, sums.share_count)}）"
        if sums.waiting_count:
            words += _now("，%(n)s 位还没拿到券") % {"n": thousands(sums.waiting_count)}
        return words

    def run_service(self, request: HttpRequest, row: UnlockOffer, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        terms = UnlockTerms(
            name=cleaned["name"],
            batch_id=row.batch_id if change else cleaned["batch"].pk,
            friend_batch_id=row.friend_batch_id if change else cleaned["friend_batch"].pk,
            needed_count=cleaned["needed_count"],
            lasts_hours=cleaned["lasts_hours"],
            new_members_only=cleaned["new_members_only"],
            opens_at=cleaned["opens_at"],
            closes_at=cleaned["closes_at"],
        )
        if change:
            return services.change_unlock_offer(offer_id=row.pk, terms=terms, actor=actor)
        return services.create_unlock_offer(terms=terms, actor=actor)

    @operation(_("暂停"), icon="pause", path="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("暂停后不能发起也不能助力，已发起的链接时间照走")]
        return self._ask(request, object_id, _("暂停"), lines, services.pause_unlock_offer)

    @operation(_("恢复"), icon="play_arrow", variant="primary", path="resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, _("恢复"), [], services.resume_unlock_offer)

    @operation(_("补发"), icon="redo", path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        waiting = selectors.sum_unlock_offers([row.pk])[row.pk].waiting_count if row is not None else 0
        lines = [
            _now("%(n)s 位会员已经解锁、还没拿到券，再试一次") % {"n": thousands(waiting)},
            _now("券不够的话请先给批次追加数量；追加后系统也会自动补发"),
        ]
        return self._ask(request, object_id, _("补发"), lines, services.retry_unlocks)

    @operation(_("结束"), icon="stop", variant="danger", path="end")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("结束后不能再发起，也不能恢复；已发起的链接在截止前仍可助力")]
        return self._ask(request, object_id, _("结束"), lines, services.end_unlock_offer, is_dangerous=True)

    def _ask(
        self,
        request: HttpRequest,
        object_id: str,
        title: Any,
        lines: list[str],
        service: Callable[..., Any],
        *,
        is_dangerous: bool = False,
    ) -> HttpResponse:

        def run(row: Any, cleaned: dict[str, Any]) -> str:
            count = service(offer_id=row.pk, actor=staff_actor(request))
            if count is None:
                return _now("%(title)s：已完成") % {"title": title}
            return _now("补发了 %(n)s 张") % {"n": thousands(count)}

        return ask_about(
            self, request, object_id, title=title, lines=lines, run=run, is_dangerous=is_dangerous
        )


@admin.register(UnlockShare)
class UnlockShareAdmin(TypedSearch, ScopedReadOnlyAdmin):
    """Links, the newest first: whose, how far, and what is missing."""

    list_display = (
        "member_name",
        "offer",
        "state_label",
        "progress",
        "started",
        "expires",
        "coupon",
        "missing",
    )
    list_select_related = ("offer", "member", "coupon")
    list_filter = (ShareStateFilter, ("offer", AutocompleteFilter))
    search_fields = ("public_id",)
    search_help_text = _("按分享人的姓名、手机号、会员码查找")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("offer", "member_name"), ("state_label", "progress"), ("started", "expires"))}),
        (_("她的券"), {"fields": (("coupon", "missing"),)}),
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(member_id__in=member_selectors.search_member_ids(text))

    @column(_("分享人"))
    def member_name(self, row: UnlockShare) -> str:
        return member_selectors.card_of(row.member).display_name

    @column(_("状态"), ordering="state", labels=_SHARE_COLOURS)
    def state_label(self, row: UnlockShare) -> tuple[str, str]:
        state = state_of_share(row, clock.now())
        return state, str(ShareState(state).label)

    @column(_("好友"))
    def progress(self, row: UnlockShare) -> str:
        return f"{row.helper_count} / {row.needed_count}"

    @column(_("发起时间"), ordering="started_at")
    def started(self, row: UnlockShare) -> str:
        return when(row.started_at)

    @column(_("截止时间"), ordering="expires_at")
    def expires(self, row: UnlockShare) -> str:
        return when(row.expires_at)

    @column(_("没有发出的原因"))
    def missing(self, row: UnlockShare) -> str:
        why_not = why_unreleased(row)
        return "—" if why_not is None else why_not.words


def _helps_panel(request: HttpRequest, share: UnlockShare) -> Panel:
    helps = list(UnlockHelp.objects.filter(share=share).select_related("helper").order_by("pk")[:50])
    member: Any = apps.get_model("members", "Member")
    people = member._default_manager.filter(pk__in=[one.helper_id for one in helps])
    seen = set(narrow(member, request.user, people).values_list("pk", flat=True))
    rows = [
        (
            when(one.helped_at),
            member_selectors.card_of(one.helper).display_name
            if one.helper_id in seen
            else _now("其他门店的会员"),
            _now("算数") if one.is_counted else _now("解锁之后来的"),
        )
        for one in helps
    ]
    context = {
        "heads": (_("时间"), _("好友"), _("是否算数")),
        "rows": rows,
        "empty": _("还没有好友来"),
    }
    return Panel(_("来过的好友"), "admin/xiaoer/panel_table.html", context)


register_panel("coupons.UnlockShare", _helps_panel)
