"""Tag groups and tags, a member's tags on her page, and tagging a selection or a whole search."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ServiceForms,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    narrow,
    operation,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from members import selectors, services
from members.models import Member, MemberTag, Tag, TagGroup, TagOrigin

name_actions(
    {
        "members.tag_group_created": _("新增标签组"),
        "members.tag_group_changed": _("修改标签组"),
        "members.tag_created": _("新增标签"),
        "members.tag_renamed": _("修改标签名称"),
        "members.tag_retired": _("停用标签"),
        "members.tag_restored": _("启用标签"),
        "members.tagged": _("打标签"),
        "members.untagged": _("去标签"),
        "members.tag_bound_to_rule": _("标签改为自动"),
        "members.tag_freed_of_rule": _("标签改回手工"),
    }
)
name_details({"members": _("会员数"), "replaced": _("换掉"), "tag_count": _("标签数")})


class HeadOfficeWords(ServiceForms, BaseAdmin):
    """Tags are the whole chain's: everybody with the right may look, head office changes them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(TagGroup)
class TagGroupAdmin(HeadOfficeWords):
    """Groups in the order in which guides see them."""

    list_display = ("name", "kind_words", "tag_count", "order")
    ordering = ("order", "name")
    search_fields = ("name",)
    search_help_text = _("按名称查找")
    fields = ("name", "is_exclusive", "order")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        groups: QuerySet[Any] = super().get_queryset(request).annotate(tag_total=Count("tags"))
        return groups

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("is_exclusive",)

    @column(_("选法"))
    def kind_words(self, row: TagGroup) -> str:
        return _now("单选") if row.is_exclusive else _now("多选")

    @column(_("标签数"))
    def tag_count(self, row: Any) -> str:
        return thousands(row.tag_total)

    def run_service(self, request: HttpRequest, row: TagGroup, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        if change:
            card = services.change_tag_group(
                group_id=row.pk, name=cleaned["name"], order=cleaned["order"], actor=actor
            )
        else:
            card = services.create_tag_group(**cleaned, actor=actor)
        return card.id


class OriginFilter(ChoiceFilter):
    title = _("来源")
    parameter_name = "origin"
    options = tuple((one.value, one.label) for one in TagOrigin)


@admin.register(Tag)
class TagAdmin(HeadOfficeWords):
    """Tags with how many members of the account's part of the chain have each now."""

    list_display = ("name", "group", "origin_words", "is_active", "member_count")
    list_filter = ("group", OriginFilter, "is_active")
    list_select_related = ("group",)
    ordering = ("group__order", "group__name", "name")
    search_fields = ("name",)
    search_help_text = _("按名称查找")
    fields = ("group", "name", "is_active")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("group", "name") if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("group", "is_active") if obj.origin == TagOrigin.RULE else ("group",)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        seen = None
        if not request.user.is_superuser:
            seen = narrow(Member, request.user, Member.objects.all()).values("pk")
        counts = selectors.count_tagged([row.pk for row in rows], seen)
        for row in rows:
            row.member_total = counts.get(row.pk, 0)

    @column(_("来源"))
    def origin_words(self, row: Tag) -> str:
        return str(row.get_origin_display())

    @column(_("会员数"))
    def member_count(self, row: Any) -> str:
        return thousands(row.member_total)

    def run_service(self, request: HttpRequest, row: Tag, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        if not change:
            return services.create_tag(group_id=cleaned["group"].pk, name=cleaned["name"], actor=actor).id
        if "name" in form.changed_data:
            services.rename_tag(tag_id=row.pk, name=cleaned["name"], actor=actor)
        if "is_active" in form.changed_data:
            run = services.restore_tag if cleaned["is_active"] else services.retire_tag
            run(tag_id=row.pk, actor=actor)
        return int(row.pk)


class TagForm(DressedForm):
    """Which tag, until when; `sure` is set by the page that has told the numbers."""

    tag = forms.ModelChoiceField(
        label=_("标签"), queryset=Tag.objects.none(), empty_label=_("请选择"), required=True
    )
    expires_on = forms.DateField(
        label=_("有效期至"), required=False, help_text=_("留空表示一直有效；到这一天结束为止")
    )

    def __init__(self, *args: Any, tags: QuerySet[Tag], with_end: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tag"]
        field.queryset = tags.select_related("group").order_by("group__order", "group__name", "name")  # type: ignore[attr-defined]
        field.label_from_instance = lambda tag: f"{tag.group.name} · {tag.name}"  # type: ignore[attr-defined]
        if not with_end:
            del self.fields["expires_on"]

    def clean_expires_on(self) -> dt.date | None:
        """A day that is not over."""
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day is not None and day < clock.today():
            raise forms.ValidationError(_now("有效期不能早于今天"))
        return day


class SureForm(forms.Form):
    """What was chosen, carried through the page that tells the numbers."""

    tag = forms.CharField(widget=forms.HiddenInput)
    expires_on = forms.CharField(widget=forms.HiddenInput, required=False)
    sure = forms.CharField(widget=forms.HiddenInput)


@dataclasses.dataclass(frozen=True, slots=True)
class _Job:
    """One of the two bulk actions, as its pages say it."""

    title: Any
    with_end: bool
    numbers: Callable[[QuerySet[Any], Tag], list[str]]
    run: Callable[[HttpRequest, QuerySet[Any], dict[str, Any]], str]


class TaggingActions:
    """The bulk actions of the member list: they name a tag, tell the numbers, and ask."""

    @operation(_("打标签"), icon="sell")
    def tag_selected(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse:
        return _ask_tag(self, request, queryset, _GIVE)

    @operation(_("去标签"), icon="label_off")
    def untag_selected(self, request: HttpRequest, queryset: QuerySet[Member]) -> HttpResponse:
        return _ask_tag(self, request, queryset, _TAKE)


def _ask_tag(page: Any, request: HttpRequest, queryset: QuerySet[Member], job: _Job) -> HttpResponse:
    members = queryset.order_by().values("pk")
    back = reverse("admin:members_member_changelist")
    tags = Tag.objects.exclude(origin=TagOrigin.RULE)
    if job.with_end:
        tags = tags.filter(is_active=True)
    if not tags.exists():
        messages.warning(request, _now("还没有标签，请先新增标签"))
        return HttpResponseRedirect(back)
    form = TagForm(bound_data(request), tags=tags, with_end=job.with_end)
    people = _now("一共 %(n)s 位会员") % {"n": thousands(queryset.count())}
    first = Question(title=job.title, submit=_("下一步"), back_url=back, lines=[people])

    def run(cleaned: dict[str, Any]) -> Any:
        tag: Tag = cleaned["tag"]
        if request.POST.get("sure"):
            return job.run(request, members, cleaned)
        end = cleaned.get("expires_on")
        chosen = {"tag": tag.pk, "expires_on": end.isoformat() if end else "", "sure": "1"}
        lines = [people, *job.numbers(members, tag)]
        if end:
            lines.append(_now("有效期至 %(day)s") % {"day": end.isoformat()})
        question = Question(title=f"{job.title}：{tag.name}", submit=_("确定"), back_url=back, lines=lines)
        return ask(page, request, question, run, form=SureForm(initial=chosen))

    return ask(page, request, first, run, form=form)


def _numbers_of_giving(members: QuerySet[Any], tag: Tag) -> list[str]:
    live = MemberTag.objects.live(clock.now()).filter(member_id__in=members)
    had = live.filter(tag=tag).count()
    total = members.count()
    lines = [_now("%(n)s 位会打上“%(tag)s”") % {"n": thousands(total - had), "tag": tag.name}]
    if had:
        lines.append(_now("%(n)s 位早已有这个标签，只更新有效期") % {"n": thousands(had)})
    if tag.group.is_exclusive:
        rivals = live.filter(exclusive_group=tag.group_id).exclude(tag=tag).count()
        lines.append(
            _now("“%(group)s”是单选，%(n)s 位原来的标签会被换掉")
            % {"group": tag.group.name, "n": thousands(rivals)}
        )
    return lines


def _numbers_of_taking(members: QuerySet[Any], tag: Tag) -> list[str]:
    had = MemberTag.objects.live(clock.now()).filter(member_id__in=members, tag=tag).count()
    return [_now("%(n)s 位会去掉“%(tag)s”，其他会员没有这个标签") % {"n": thousands(had), "tag": tag.name}]


def _give(request: HttpRequest, members: QuerySet[Any], cleaned: dict[str, Any]) -> str:
    day = cleaned.get("expires_on")
    done = services.tag_search(
        members=members,
        tag_id=cleaned["tag"].pk,
        expires_at=clock.day_bounds(day)[1] if day else None,
        actor=staff_actor(request),
    )
    return _now("%(n)s 位会员已打上“%(tag)s”") % {
        "n": thousands(done.tagged_count),
        "tag": cleaned["tag"].name,
    }


def _take(request: HttpRequest, members: QuerySet[Any], cleaned: dict[str, Any]) -> str:
    count = services.untag_search(members=members, tag_id=cleaned["tag"].pk, actor=staff_actor(request))
    return _now("%(n)s 位会员已去掉“%(tag)s”") % {"n": thousands(count), "tag": cleaned["tag"].name}


_GIVE = _Job(_("打标签"), True, _numbers_of_giving, _give)
_TAKE = _Job(_("去标签"), False, _numbers_of_taking, _take)


def _tags_panel(request: HttpRequest, member: Member) -> Panel:
    """The chain's tags of hers: who gave them, when, until when. What guides keep for themselves is theirs."""
    rows = [
        (
            line.tag.group.name,
            line.tag.name,
            line.tagged_by if not line.tag.is_ruled else _now("自动 · %(by)s") % {"by": line.tagged_by},
            when(line.tagged_at),
            when(line.expires_at) if line.expires_at is not None else _now("一直有效"),
        )
        for line in selectors.list_member_tags(member.pk)
    ]
    context = {
        "heads": (_("标签组"), _("标签"), _("谁打的"), _("打标签时间"), _("有效期至")),
        "rows": rows,
        "empty": _("还没有标签"),
    }
    return Panel(_("标签"), "admin/xiaoer/panel_table.html", context)


register_panel("members.Member", _tags_panel, order=30)
