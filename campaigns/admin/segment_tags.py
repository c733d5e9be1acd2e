"""Segments on other pages: tags that follow them, from the tag's page and from the segment's; members by segment."""

from typing import Any, Final

from django import forms
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import services
from campaigns.contracts.segments import FollowingSight
from campaigns.models import Segment, SegmentMember
from campaigns.selectors.segment_tags import find_followed, sight_following
from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ask,
    bound_data,
    plain_address,
    register_filter,
    register_panel,
    staff_actor,
    thousands,
)
from members import selectors as member_selectors

_TAG: Final = "admin:members_tag_change"
_MOST_LISTED: Final = 200


class FollowForm(DressedForm):
    """The tag, and the segment that it is to follow."""

    tag: Any = forms.ModelChoiceField(
        label=_("标签"),
        queryset=None,
        empty_label=_("请选择"),
        help_text=_("人群里的会员自动打上，离开人群就自动去掉；下一步告诉您有多少人会被去掉"),
    )
    segment: Any = forms.ModelChoiceField(
        label=_("人群"),
        queryset=Segment.objects.living().order_by("name"),
        empty_label=_("请选择"),
        help_text=_("只能选持续更新的人群"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tags = apps.get_model("members", "Tag").objects.filter(is_active=True, group__is_exclusive=False)
        field: Any = self.fields["tag"]
        field.queryset = tags.exclude(origin="rule").select_related("group").order_by("group__order", "name")
        field.label_from_instance = lambda tag: f"{tag.group.name} · {tag.name}"


class SureForm(forms.Form):
    """What was chosen, carried through the page that tells the numbers; `sure` is how many were said to lose the tag."""

    tag = forms.CharField(widget=forms.HiddenInput)
    segment = forms.CharField(widget=forms.HiddenInput)
    sure = forms.CharField(widget=forms.HiddenInput)


class SegmentTags(BaseAdmin):
    """Mix in: the two questions about tags that follow segments. Tags are head office's, so these are too."""

    def tag_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("tags/follow/", "campaigns_segment_follow", self.follow_view),
            ("tags/<int:pk>/leave/", "campaigns_segment_leave", self.leave_view),
        )

    def follow_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """A tag follows a segment from now on, once the page has said what that does to those who have it; either may be
        chosen already (`tag`, `segment` of the address)."""
        self._of_head_office(request)
        asked = plain_address(request, rows=("tag", "segment"))
        form = FollowForm(bound_data(request), initial=asked)
        back = (
            reverse(_TAG, args=[int(asked["tag"])])
            if "tag" in asked
            else reverse("admin:campaigns_segment_changelist")
        )
        if "segment" in asked:
            back = reverse("admin:campaigns_segment_change", args=[int(asked["segment"])])
        lines = []
        if "tag" in asked:
            tagged = member_selectors.count_tagged([int(asked["tag"])]).get(int(asked["tag"]), 0)
            lines.append(_now("这个标签现在有 %(n)s 位会员") % {"n": thousands(tagged)})
        question = Question(title=_("标签跟随人群"), submit=_("下一步"), back_url=back, lines=lines)

        def run(cleaned: dict[str, Any]) -> str | HttpResponse:
            segment, tag = cleaned["segment"], cleaned["tag"]
            sight = sight_following(tag_id=tag.pk, segment=segment)
            # Asked again when more would lose it than the page said.
            if sight.lost_count > _said(request):
                return self._ask_surely(request, tag, segment, sight, back)
            services.follow_segment(tag_id=tag.pk, public_id=segment.public_id, actor=staff_actor(request))
            return _now("“%(tag)s”开始跟随“%(segment)s”，几秒后生效") % {
                "tag": tag.name,
                "segment": segment.name,
            }

        return ask(self, request, question, run, form=form)

    def _ask_surely(
        self, request: HttpRequest, tag: Any, segment: Segment, sight: FollowingSight, back: str
    ) -> HttpResponse:
        """The numbers, and the button that does it."""
        names = {"tag": tag.name, "segment": segment.name}
        lines = []
        if sight.lost_count:
            lines.append(
                _now("%(n)s 位会员有这个标签、不在人群里，标签会被去掉；以后解除跟随也不会自动加回来")
                % {"n": thousands(sight.lost_count)}
            )
        lines += [
            _now("%(n)s 位已经有这个标签、也在人群里，保留") % {"n": thousands(sight.kept_count)},
            _now("%(n)s 位在人群里、还没有这个标签，会自动打上") % {"n": thousands(sight.given_count)},
            _now("以后进入人群自动打上，离开自动去掉，不能再手工打和去"),
        ]
        question = Question(
            title=_now("“%(tag)s”跟随“%(segment)s”") % names,
            submit=_now("去掉 %(n)s 位并开始跟随") % {"n": thousands(sight.lost_count)}
            if sight.lost_count
            else _("开始跟随"),
            back_url=back,
            lines=lines,
            is_dangerous=sight.lost_count > 0,
        )
        chosen = {"tag": tag.pk, "segment": segment.pk, "sure": sight.lost_count}
        return ask(self, request, question, lambda _cleaned: "", form=SureForm(initial=chosen))

    def leave_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """A question first."""
        self._of_head_office(request)
        segment = find_followed(pk)
        if segment is None:
            raise PermissionDenied
        tag = member_selectors.get_tag_card(pk)
        tagged = member_selectors.count_tagged([pk]).get(pk, 0)
        question = Question(
            title=_now("“%(tag)s”不再跟随“%(segment)s”") % {"tag": tag.name, "segment": segment.name},
            submit=_("解除跟随"),
            back_url=reverse(_TAG, args=[pk]),
            lines=(
                _now("已经打上的 %(n)s 位会员保留这个标签，以后由人来打和去掉。") % {"n": thousands(tagged)},
            ),
        )

        def run(_cleaned: dict[str, Any]) -> str:
            kept = services.leave_segment(tag_id=pk, actor=staff_actor(request))
            return _now("已解除，%(n)s 位会员保留这个标签") % {"n": thousands(kept)}

        return ask(self, request, question, run)

    def _of_head_office(self, request: HttpRequest) -> None:
        if not request.user.is_superuser:
            raise PermissionDenied


class SegmentFilter(ChoiceFilter):
    """Members of a segment, as it was last worked out."""

    title = _("人群")
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not request.user.has_perm("campaigns.view_segment"):
            return []
        named = Segment.objects.active().exclude(filled_at=None).order_by("name")
        return list(named.values_list("public_id", "name")[:_MOST_LISTED])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        if not value:
            return queryset
        if not value.isalnum():
            return queryset.none()
        inside = SegmentMember.objects.filter(segment__public_id=value, segment__is_active=True)
        return queryset.filter(pk__in=inside.values("member_id"))


def _said(request: HttpRequest) -> int:
    """How many the page said would lose the tag; -1 while it has not said anything."""
    told = request.POST.get("sure", "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 10 else -1


def _tag_panel(request: HttpRequest, tag: Any) -> Panel | None:
    """On a tag's page: the segment that it follows, or the way to let it follow one."""
    segment = find_followed(tag.pk)
    may_change = bool(request.user.is_superuser)
    if segment is None and (tag.group.is_exclusive or not tag.is_active or not may_change):
        return None
    context = {"segment": segment, "tag_id": tag.pk, "may_change": may_change}
    return Panel(_("自动打标签"), "admin/xiaoer/segments/panel_tag.html", context)


register_panel("members.Tag", _tag_panel, order=10)
register_filter("members.Member", SegmentFilter)
