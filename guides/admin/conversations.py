"""会话 at the staff's desk: who waits for an answer and has no guide for it, the conversation, and answering it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    ChoiceFilter,
    DaysFilter,
    DressedForm,
    OwnPage,
    Question,
    ScopedReadOnlyAdmin,
    Tile,
    TypedSearch,
    ask,
    autocomplete_field,
    bound_data,
    column,
    name_actions,
    narrow,
    operation,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal
from guides import selectors, services
from guides.contracts import GuideCard, Talk, TalkLine, say_message, say_span, say_window
from guides.models import AnswerState, Binding, Conversation, Guide, GuideState
from guides.selectors.member_side import find_member_guide
from guides.selectors.quick_replies import list_quick_replies
from members import selectors as member_selectors
from members.admin.cells import MemberCells

_LINES: Final = 100
_SHOWN: Final = 40
_STATES: Final = dict(AnswerState.choices)

name_actions(
    {
        "guides.member_answered": _("回复会员消息"),
        "guides.conversation_settled": _("标记会话无需回复"),
        "guides.conversation_given": _("把会话交给导购"),
    }
)


def _given() -> Q:
    return Q(given_to__state=GuideState.ACTIVE)


class OwnerFilter(ChoiceFilter):
    """Opens with those nobody but head office sees to."""

    title = _("由谁回复")
    parameter_name = "owner"
    options = (
        ("none", _("没有导购，等总部处理")),
        ("given", _("已交给导购")),
        ("guide", _("专属导购")),
        ("all", _("全部会话")),
    )
    all_option = None

    def value(self) -> str:
        return super().value() or "none"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        has_guide = Q(selectors.has_guide_at_work())
        narrowed = {
            "guide": has_guide,
            "given": ~has_guide & _given(),
            "all": Q(),
        }.get(self.value(), ~has_guide & (Q(given_to=None) | ~_given()))
        return queryset.filter(narrowed)


class WaitingFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "waiting"
    options = (("yes", _("等待回复")), ("no", _("不用再回复")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(waiting_since__isnull=self.value() == "no")


class StageFilter(ChoiceFilter):
    title = _("身份")
    parameter_name = "stage"
    options = (("member", _("会员")), ("prospect", _("还不是会员")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(member__stage=self.value()) if self.value() else queryset


class GiveForm(DressedForm):
    """The guide, by typing; only guides at work whom the account may see."""

    def __init__(self, *args: Any, guides: QuerySet[Guide], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["guide"] = autocomplete_field(
            Binding,
            "guide",
            guides.filter(state="active"),
            label=_("交给哪位导购"),
            help_text=_("输入工号、姓名或门店"),
        )


@admin.register(Conversation)
class ConversationAdmin(OwnPage, MemberCells, TypedSearch, ScopedReadOnlyAdmin):
    """Those who wait come first, the longest waiting on top."""

    empty_words = _("没有规则回答的会员消息会成为会话：有专属导购的由导购在助手里回，没有的在这里回")

    class Media:
        js = ("admin_xiaoer/talks.js",)
        css = {"all": ("admin_xiaoer/talks.css",)}

    list_display = (
        "member_name",
        "stage",
        "last_words",
        "waiting",
        "unread",
        "owner",
        "window",
        "last_moment",
    )
    list_select_related = ("given_to", "member")
    list_filter = (OwnerFilter, WaitingFilter, StageFilter, ("last_at", DaysFilter))
    search_fields = ("given_to__name",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或被交给的导购姓名")
    actions_detail = ("give",)
    list_before_template = "admin/xiaoer/talk_tabs.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With whose they are as tabs above the list: it opens with those that are head office's to answer."""
        kept = request.GET.copy()
        kept.pop("p", None)
        shown = kept.pop("owner", ["none"])[-1]
        tabs = []
        for value, title in OwnerFilter.options:
            kept["owner"] = value
            tabs.append({"title": title, "url": f"?{kept.urlencode()}", "is_on": value == shown})
        return super().changelist_view(request, {"talk_tabs": tabs, **(extra_context or {})})

    def get_ordering(self, request: HttpRequest) -> Any:
        return (F("waiting_since").asc(nulls_last=True), F("last_at").desc(), "pk")

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = member_selectors.search_member_ids(text)
        return queryset.filter(Q(member_id__in=found) | Q(given_to__name__icontains=text))

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        super().prepare_rows(request, rows)
        now = clock.now()
        newest = selectors.find_newest_messages([row.pk for row in rows])
        windows = selectors.find_windows(rows, now)
        live = Binding.objects.live().filter(member_id__in=[row.member_id for row in rows])
        guides = {one.member_id: one.guide for one in live.select_related("guide")}
        for row in rows:
            row.now, row.newest = now, newest.get(row.pk)
            row.until, row.guide = windows.get(row.pk), guides.get(row.member_id)

    @column(_("身份"))
    def stage(self, row: Any) -> str:
        return _now("会员") if row.member.stage == "member" else _now("还不是会员")

    @column(_("最近一句"))
    def last_words(self, row: Any) -> str:
        if row.newest is None:
            return "—"
        words = " ".join(say_message(row.newest.kind, row.newest.words).split())
        return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"

    @column(
        _("状态"), ordering="waiting_since", labels={"late": "danger", "waits": "warning", "done": "success"}
    )
    def waiting(self, row: Any) -> tuple[str, str]:
        if row.waiting_since is None:
            return "done", _now("不用再回复")
        waited = row.now - row.waiting_since
        kind = "late" if waited >= dt.timedelta(hours=1) else "waits"
        return kind, _now("已等 %(span)s") % {"span": say_span(waited)}

    @column(_("未读"), ordering="unread_count")
    def unread(self, row: Any) -> str:
        return thousands(row.unread_count) if row.unread_count else "—"

    @column(_("由谁回复"))
    def owner(self, row: Any) -> str:
        return _owner_words(row.guide, row.given_to)

    @column(_("微信窗口"))
    def window(self, row: Any) -> str:
        return say_window(row.until, now=row.now) if row.until else _now("已过窗口")

    @column(_("最近消息"), ordering="last_at")
    def last_moment(self, row: Any) -> str:
        return when(row.last_at)

    def row_page(self, request: HttpRequest, row: Conversation) -> HttpResponse:
        """The conversation with its form; what comes while it is open comes by itself (`live`)."""
        talk = selectors.talk_of(member_selectors.get_member_card(row.member_id), limit=_LINES)
        may_answer = self.has_operate_permission(request)
        if request.method == "POST":
            return self._act(request, row, talk)
        if may_answer and talk.unread_count:
            services.mark_read(member_id=row.member_id, up_to_id=talk.lines[-1].id)
        context = self._context(request, row, talk) | {"may_answer": may_answer}
        if "live" in request.GET:
            if request.GET["live"] == context["seen"]:
                return HttpResponse(status=204)
            return TemplateResponse(request, "admin/xiaoer/_talk_lines.html", context)
        return TemplateResponse(request, "admin/xiaoer/conversation.html", context)

    def _act(self, request: HttpRequest, row: Conversation, talk: Talk) -> HttpResponse:
        """Answer, or say that no answer is needed; a refusal keeps what was typed."""
        context = self._context(request, row, talk) | {"may_answer": True}
        if not self.has_operate_permission(request):
            return TemplateResponse(
                request,
                "admin/xiaoer/conversation.html",
                context | {"may_answer": False, "refusal": _now("您没有回复会员的权限")},
                status=403,
            )
        by: dict[str, Any] = {"member_id": row.member_id, "staff_id": request.user.pk}
        try:
            if "_settle" in request.POST:
                services.settle_as_staff(**by, actor=staff_actor(request))
                messages.success(request, _now("已标记为无需回复"))
            else:
                services.answer_as_staff(
                    **by,
                    text=request.POST.get("text", ""),
                    request_key=_key(request.POST.get("request_key", "")),
                    actor=staff_actor(request),
                )
                messages.success(request, _now("已交给微信发送"))
        except Refusal as refusal:
            typed = request.POST.get("text", "")[:5_000]
            context |= {"refusal": refusal.message, "typed": typed}
            return TemplateResponse(request, "admin/xiaoer/conversation.html", context)
        return HttpResponseRedirect(request.path)

    @operation(_("交给导购"), icon="person_add", path="give")
    def give(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        form = GiveForm(bound_data(request), guides=self.admin_site._registry[Guide].get_queryset(request))

        def run(cleaned: dict[str, Any]) -> str:
            services.give_conversation(
                member_id=row.member_id, guide_id=cleaned["guide"].pk, actor=staff_actor(request)
            )
            return _now("已交给 %(guide)s") % {"guide": cleaned["guide"].name}

        question = Question(
            title=_now("把 %(name)s 的会话交给导购") % {"name": self.member_name(row)},
            submit=_("交给她"),
            back_url=reverse("admin:guides_conversation_change", args=[row.pk]),
            lines=[
                _("导购会收到提醒，在导购助手里看得到整段会话，可以直接回复"),
                _("这不是绑定：会员有了专属导购以后，会话自动归专属导购"),
                *([_now("现在由 %(guide)s 回复") % {"guide": row.given_to.name}] if row.given_to else []),
            ],
        )
        return ask(self, request, question, run, form=form, subject=row)

    def _context(self, request: HttpRequest, row: Conversation, talk: Talk) -> dict[str, Any]:
        now = clock.now()
        found = find_member_guide(row.member_id, now)
        guide = found.guide if found is not None and found.guide.is_active else None
        lines = [_shown(line) for line in talk.lines]
        window = say_window(talk.window_until, now=now)
        is_waiting = talk.waiting_since is not None
        member_page = self.admin_site._registry[type(row.member)]
        sees_member = member_page.get_queryset(request).filter(pk=row.member_id).exists()
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": talk.member.display_name,
            "media": self.media,
            "member": talk.member,
            "member_url": reverse("admin:members_member_change", args=[row.member_id]) if sees_member else "",
            "stage": self.stage(row),
            "owner": _owner_words(guide, row.given_to),
            "has_guide": guide is not None,
            "lines": lines,
            "has_more": talk.has_more,
            "window": window,
            "is_open": talk.window_until is not None and talk.window_until > now,
            "is_waiting": is_waiting,
            "waited": say_span(now - talk.waiting_since) if talk.waiting_since else "",
            "replies": list_quick_replies(member=talk.member, guide=None),
            "replies_url": reverse("admin:guides_quickreply_changelist"),
            "request_key": uuid.uuid4().hex,
            "seen": f"{talk.lines[-1].id if talk.lines else 0}-{is_waiting}-{_ends(talk)}-{window}",
            "give_url": reverse("admin:guides_conversation_give", args=[row.pk])
            if guide is None and self.has_operate_permission(request)
            else "",
            **self.below_form(request, row),
        }


def _key(text: str) -> str:
    return text[:40] if text.isalnum() and text.isascii() else uuid.uuid4().hex


def _ends(talk: Talk) -> str:
    return "".join(line.state[:1] for line in talk.lines)


def _shown(line: TalkLine) -> dict[str, Any]:
    who = line.name if line.guide_id is not None else _now("后台 %(name)s") % {"name": line.name}
    trouble = line.outcome if line.state in ("dropped", "uncertain") else ""
    return {
        "is_hers": line.speaker == "member",
        "is_note": line.speaker == "settled",
        "who": "" if line.speaker == "member" else who,
        "words": say_message(line.kind, line.words),
        "at": when(line.at),
        "state": str(_STATES[line.state]) if line.state else "",
        "trouble": trouble,
    }


def _owner_words(guide: Any, given_to: Guide | None) -> str:
    if guide is not None and _is_at_work(guide):
        return _now("专属导购 %(name)s") % {"name": guide.name}
    if given_to is not None and given_to.state == GuideState.ACTIVE:
        return _now("已交给 %(name)s") % {"name": given_to.name}
    if guide is not None:
        return _now("导购 %(name)s 已离职") % {"name": guide.name}
    return _now("没有导购")


def _is_at_work(guide: Any) -> bool:
    """Of a card and of a row alike."""
    return bool(guide.is_active if isinstance(guide, GuideCard) else guide.state == GuideState.ACTIVE)


def _tiles(request: HttpRequest) -> list[Tile]:
    """Who waits and has no guide to answer, in the account's part of the chain."""
    rows = narrow(Conversation, request.user, Conversation.objects.waiting())
    unseen = rows.filter(~Q(selectors.has_guide_at_work()) & (Q(given_to=None) | ~_given())).count()
    url = f"{reverse('admin:guides_conversation_changelist')}?waiting=yes"
    return [Tile(_("没有导购、等总部回复的会话"), thousands(unseen), url, is_alarm=unseen > 0)]


register_tiles("guides.view_conversation", _tiles, order=4)
