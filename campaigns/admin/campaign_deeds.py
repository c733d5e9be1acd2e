"""What is done with a campaign: submitted, approved, sent back, paused, stopped, copied; each is asked first."""

import abc
import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import services
from campaigns.admin import campaign_sight as sights
from campaigns.errors import CampaignUnfit
from campaigns.models import Campaign
from campaigns.selectors.runs import count_queued_messages
from core import clock
from core.admin import (
    BaseAdmin,
    DayInput,
    DressedForm,
    Question,
    ask,
    bound_data,
    staff_actor,
    thousands,
    when,
)
from core.errors import InvalidInput
from coupons.admin.fields import YuanField
from guides import selectors as guide_selectors
from members import selectors as member_selectors

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


def row_url(pk: int) -> str:
    """The page of one campaign."""
    return reverse("admin:campaigns_campaign_change", args=[pk])


class _RevisionForm(DressedForm):
    """The revision that the page shows."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class _NoteForm(_RevisionForm):
    note = forms.CharField(
        label=_("留言"), required=False, max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )


class _ReasonForm(_RevisionForm):
    note = forms.CharField(label=_("原因"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}))


class _BudgetForm(_ReasonForm):
    budget_fen = YuanField(
        label=_("新的预算（元）"), required=True, help_text=_("整个活动一共，不是再加多少")
    )

    field_order = ("budget_fen", "note")


class _DayForm(_RevisionForm):
    starts_on = forms.DateField(
        label=_("新活动从哪天开始"),
        required=False,
        widget=DayInput(),
        help_text=_("不填就和原来同一天；持续的天数一样"),
    )


class _TryForm(_RevisionForm):
    """A colleague, as the member that she is, and the version she looks at."""

    letter = forms.ChoiceField(label=_("哪个版本"))
    who = forms.CharField(
        label=_("发给哪位同事"),
        max_length=40,
        help_text=_("她自己的会员手机号或会员码；要同意接收营销信息，免打扰时段到结束时才收到"),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Deed:
    """One step: its button, what will happen, what happened, the form it asks, the service it calls."""

    title: Any
    line: Any
    done: Any
    run: Callable[..., Any]
    form: type[_RevisionForm] = _RevisionForm
    fields: tuple[str, ...] = ()
    is_dangerous: bool = False


DEEDS: Final[dict[str, _Deed]] = {
    "submit": _Deed(
        _("提交审批"),
        _("提交后不能再改；要改先撤回。审批由没有写过它的同事来做"),
        _("已提交，等待审批"),
        services.submit_campaign,
        fields=("revision",),
    ),
    "approve": _Deed(
        _("审批通过"),
        _("到时间自动开始，不再询问"),
        _("已通过"),
        services.approve_campaign,
        _NoteForm,
        ("revision", "note"),
    ),
    "return": _Deed(
        _("退回修改"),
        _("变回草稿，写的人会看到您的原因"),
        _("已退回"),
        services.return_campaign,
        _ReasonForm,
        ("revision", "note"),
    ),
    "recall": _Deed(
        _("撤回修改"),
        _("变回草稿，不会开始；改好后要重新审批"),
        _("已撤回，变回草稿"),
        services.recall_campaign,
        _NoteForm,
        ("note",),
    ),
    "pause": _Deed(
        _("暂停"),
        _("还没有发出的先不发，可以再继续"),
        _("已暂停"),
        services.pause_campaign,
        _ReasonForm,
        ("note",),
    ),
    "resume": _Deed(
        _("继续"),
        _("从停下的地方接着发；暂停期间错过的重复日子不补"),
        _("已继续"),
        services.resume_campaign,
        _NoteForm,
        ("note",),
    ),
    "budget": _Deed(
        _("加预算"),
        _("因为预算用完停下的，加好后马上接着发"),
        _("预算已加"),
        services.raise_budget,
        _BudgetForm,
        ("budget_fen", "note"),
    ),
    "stop": _Deed(
        _("停止"),
        _("还没有发出的不再发，不能恢复；已经发出的继续统计效果"),
        _("已停止"),
        services.stop_campaign,
        _ReasonForm,
        ("note",),
        is_dangerous=True,
    ),
    "drop": _Deed(
        _("作废草稿"),
        _("这份草稿不再使用，记录保留"),
        _("已作废"),
        services.drop_campaign,
        is_dangerous=True,
    ),
    "copy": _Deed(
        _("复制"),
        _("内容一样的一份新草稿；原来这个不变"),
        _("已复制，这是新的草稿"),
        services.copy_campaign,
        _DayForm,
        ("starts_on",),
    ),
}


# What becomes of the messages that have not left.
_QUEUE_LINES: Final = {
    "pause": _("队列里有 %(n)s 条消息还没有发出，暂停后先留着"),
    "resume": _("队列里留着 %(n)s 条消息，继续后发出"),
    "stop": _("队列里有 %(n)s 条消息还没有发出，停止后不再发"),
}


class CampaignDeeds(_Base):
    """Mix into the admin of campaigns, which opens a row (`open_row`) for who may see it. The services ask for rights."""

    @abc.abstractmethod
    def open_row(self, request: HttpRequest, pk: int) -> Campaign:
        """The admin's own. Raises PermissionDenied."""

    def deed_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/try/", "campaigns_campaign_try", self.try_view),
            ("<int:pk>/do/<slug:verb>/", "campaigns_campaign_do", self.do_view),
        )

    def try_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """Whom to send a version's message, for a look at it on a real phone."""
        row = self.open_row(request, pk)
        form = _TryForm(bound_data(request), initial={"revision": row.revision})
        letters: Any = form.fields["letter"]
        letters.choices = _messages_of(row)

        def run(cleaned: dict[str, Any]) -> str:
            services.try_campaign(
                campaign_id=row.pk,
                letter=cleaned["letter"],
                member_id=_colleague(request, cleaned["who"]),
                actor=staff_actor(request),
            )
            return _now("已试发，结果看“触达记录”")

        question = Question(
            title=_now("试发：%(name)s") % {"name": row.name},
            submit=_("试发"),
            back_url=row_url(row.pk),
            lines=[
                _now("只发消息，不发券、不送积分、不派任务，也不计入活动；一个活动一小时最多 10 次")
                if letters.choices
                else _now("这个活动的版本都不发消息，没有可以试发的")
            ],
        )
        return ask(self, request, question, run, form=form, subject=row)

    def do_view(self, request: HttpRequest, pk: int, verb: str, model_admin: Any = None) -> HttpResponse:
        """A question with what will happen, then the service."""
        row = self.open_row(request, pk)
        deed = DEEDS.get(verb)
        if deed is None:
            raise PermissionDenied

        def run(cleaned: dict[str, Any]) -> Any:
            values = {name: cleaned[name] for name in deed.fields}
            try:
                made = deed.run(campaign_id=row.pk, actor=staff_actor(request), **values)
            except CampaignUnfit as refusal:
                words = "；".join(_fault_words(fault) for fault in refusal.details["faults"])
                raise CampaignUnfit(_now("还要改：%(words)s") % {"words": words}) from refusal
            if verb == "copy":
                messages.success(request, str(deed.done))
                return HttpResponseRedirect(row_url(made))
            if made is True:
                return _now("预算已加，活动接着发")
            if isinstance(made, dt.datetime):
                return _now("已通过，%(at)s 开始") % {"at": when(made)}
            return deed.done

        question = Question(
            title=f"{deed.title}：{row.name}",
            submit=deed.title,
            back_url=row_url(row.pk),
            lines=[*_lines_of(verb, row), deed.line],
            is_dangerous=deed.is_dangerous,
        )
        form = deed.form(bound_data(request), initial={"revision": row.revision})
        return ask(self, request, question, run, form=form, subject=row)


def _messages_of(row: Campaign) -> list[tuple[str, str]]:
    """The versions that write to their members, by what they write."""
    return [
        (one.letter, f"{one.letter} · {act['with'].get('title', '')}")
        for one in row.variants.order_by("letter")
        for act in one.acts
        if act["do"] == "reach"
    ]


def _colleague(request: HttpRequest, words: str) -> int:
    """The one member of the account's part whom the words mean. Raises InvalidInput."""
    staff: Any = request.user
    seen = guide_selectors.scope_members(staff, member_selectors.living_member_ids())
    found = list(seen.filter(pk__in=member_selectors.search_member_ids(words))[:2])
    if len(found) != 1:
        raise InvalidInput(_now("没有找到唯一一位会员，请填完整的手机号或会员码"), field="who")
    return int(found[0])


def _lines_of(verb: str, row: Campaign) -> list[str]:
    """What whoever decides must know: how many, how much, what changed since it was approved."""
    if verb in _QUEUE_LINES:
        return [str(_QUEUE_LINES[verb]) % {"n": thousands(count_queued_messages(row.pk))}]
    if verb == "budget":
        return [sights.used_words(row)]
    if verb == "copy":
        return _copy_lines(row)
    if verb not in ("submit", "approve"):
        return []
    sight, estimate = sights.sight_of(row)
    told = [
        _now("时间：%(from)s – %(until)s") % {"from": when(row.starts_at), "until": when(row.ends_at)},
        *(f"{name.strip()}：{value}" for name, value in sights.audience_lines(row, sight, estimate)),
    ]
    approved_at, changes = sights.changed_lines(row)
    if approved_at is not None:
        head = _now("和 %(at)s 通过的那一版相比，改了 %(n)s 处") % {
            "at": when(approved_at),
            "n": thousands(len(changes)),
        }
        told += [head, *(f"{name}：{before} → {now}" for name, before, now in changes)]
    return told


def _copy_lines(row: Campaign) -> list[str]:
    """When the original was, and that its day is over."""
    if row.starts_at is None:
        return []
    span = {"from": when(row.starts_at), "until": when(row.ends_at)}
    told = [_now("原来的时间：%(from)s – %(until)s") % span]
    if row.starts_at <= clock.now():
        told.append(_now("那天已经过去，请填一个新的日子；不填的话，提交前要改时间"))
    return told


# The places of faults in a person's words.
_PLACES: Final = {
    "name": _("名称"),
    "kind": _("类型"),
    "segment": _("人群"),
    "excluded_segment": _("排除的人群"),
    "region": _("区域"),
    "store": _("门店"),
    "starts_at": _("开始时间"),
    "ends_at": _("截止时间"),
    "send_from": _("每天几点起发"),
    "send_until": _("每天几点停"),
    "recurrence": _("重复"),
    "budget_fen": _("预算"),
    "holdout_bp": _("对照组"),
    "window_days": _("统计天数"),
    "measure": _("怎么算"),
    "variants": _("版本"),
}


def _fault_words(fault: dict[str, Any]) -> str:
    steps = fault["path"].split("/")[1:]
    place = str(_PLACES.get(steps[0], steps[0]))
    if steps[0] == "variants" and len(steps) > 1:
        place = f"{place} {'ABCDE'[int(steps[1])]}"
    return f"{place} {fault['words']}"
