"""标签对应: which tag of members goes to which tag of WeChat, or comes from it, and how far that is."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    ChoiceFilter,
    DressedForm,
    Question,
    ReadOnlyAdmin,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    name_values,
    operation,
    staff_actor,
    thousands,
    when,
)
from core.errors import sentences_in
from guides import services
from guides.models import LinkDirection, TagLink
from members import errors as member_errors
from wechat import errors as wechat_errors
from wechat.services import follower_tags, tag_lists, taggings

# A person waits for the page; what is left of a long list the job reads.
_PATIENCE_S = 5.0
_LIST = "admin:guides_taglink_changelist"
_SENTENCES = sentences_in(member_errors, wechat_errors)

name_actions({"guides.tags_linked": _("新增标签对应"), "guides.tags_unlinked": _("停用标签对应")})
name_details({"direction": _("方向")})
name_values("direction", LinkDirection.choices, within="guides.tags_linked")


class ActiveFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "active"
    options = (("yes", _("启用")), ("no", _("已停用")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(is_active=self.value() == "yes")


class LinkForm(DressedForm):
    """The two tags, and which follows the other."""

    direction = forms.ChoiceField(
        label=_("方向"),
        choices=LinkDirection.choices,
        help_text=_("左边的说了算：左边打上或去掉，右边跟着变"),
    )
    member_tag: Any = forms.ModelChoiceField(label=_("会员标签"), queryset=None, empty_label=_("请选择"))
    follower_tag: Any = forms.ModelChoiceField(label=_("微信标签"), queryset=None, empty_label=_("请选择"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = TagLink.objects.filter(is_active=True).values("follower_tag_id")
        ours = apps.get_model("members", "Tag").objects.filter(is_active=True).select_related("group")
        theirs = apps.get_model("wechat", "FollowerTag").objects.live().exclude(pk__in=taken)
        theirs = theirs.exclude(wechat_tag_id__in=follower_tags.SYSTEM_TAGS).select_related("account")
        self._offer(
            "member_tag", ours.order_by("group__order", "name"), lambda tag: f"{tag.group.name} · {tag.name}"
        )
        self._offer(
            "follower_tag", theirs.order_by("account", "name"), lambda tag: f"{tag.account.name} · {tag.name}"
        )

    def _offer(self, name: str, rows: Any, words: Callable[[Any], str]) -> None:
        field: Any = self.fields[name]
        field.queryset, field.label_from_instance = rows, words


@admin.register(TagLink)
class TagLinkAdmin(ReadOnlyAdmin):
    """Links are made and ended; a link's page says how far WeChat is behind."""

    list_display = ("our_tag", "direction_words", "their_tag", "progress", "worked", "state_label")
    list_select_related = ("member_tag__group", "follower_tag__account")
    list_filter = (ActiveFilter,)
    search_fields = ("member_tag__name", "follower_tag__name")
    search_help_text = _("按标签名查找")
    ordering = ("-is_active", "-pk")
    fieldsets = (
        (None, {"fields": (("our_tag", "direction_words"), ("their_tag", "state_label"))}),
        (_("进度"), {"fields": (("progress", "listed"), ("worked", "last_change"), "trouble")}),
    )
    actions_list = ("create",)
    actions_detail = ("look", "retry", "end")

    def prepare_rows(self, request: HttpRequest, rows: Sequence[TagLink]) -> None:
        counts = taggings.count_taggings([row.follower_tag_id for row in rows])
        for row in rows:
            row.counts = counts.get(row.follower_tag_id)  # type: ignore[attr-defined]

    @column(_("会员标签"))
    def our_tag(self, row: TagLink) -> str:
        return f"{row.member_tag.group.name} · {row.member_tag.name}"

    @column(_("方向"))
    def direction_words(self, row: TagLink) -> str:
        return str(row.get_direction_display())

    @column(_("微信标签"))
    def their_tag(self, row: TagLink) -> str:
        gone = _now("（微信里已删除）") if row.follower_tag.gone_at is not None else ""
        return f"{row.follower_tag.account.name} · {row.follower_tag.name}{gone}"

    @column(_("微信里的情况"))
    def progress(self, row: TagLink) -> str:
        counts = getattr(row, "counts", None) or taggings.count_taggings([row.follower_tag_id]).get(
            row.follower_tag_id
        )
        if counts is None:
            return _now("没有人带这个标签")
        words = [_now("%(n)s 人带着") % {"n": thousands(counts.there_count)}]
        if counts.waiting_count:
            words.append(_now("%(n)s 人待同步") % {"n": thousands(counts.waiting_count)})
        if counts.failed_count:
            words.append(_now("%(n)s 人微信拒绝") % {"n": thousands(counts.failed_count)})
        return "，".join(words)

    @column(_("名单同步时间"))
    def listed(self, row: TagLink) -> str:
        return when(row.follower_tag.listed_at) if row.follower_tag.listed_at else _now("还没有读过")

    @column(_("最近核对"), ordering="worked_at")
    def worked(self, row: TagLink) -> str:
        return when(row.worked_at)

    @column(_("最近一次变化"))
    def last_change(self, row: TagLink) -> str:
        return _now("打上 %(put)s 人，去掉 %(taken)s 人") % {
            "put": thousands(row.put_count),
            "taken": thousands(row.taken_count),
        }

    @column(_("没有核对的原因"))
    def trouble(self, row: TagLink) -> str:
        return str(_SENTENCES.get(row.trouble_code, row.trouble_code)) or "—"

    @column(_("状态"), labels={"on": "success", "off": "info"})
    def state_label(self, row: TagLink) -> tuple[str, str]:
        return ("on", _now("启用")) if row.is_active else ("off", _now("已停用"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """An ended link has no buttons."""
        row = self.subject(request, str(object_id))
        is_on = row is not None and row.is_active
        return super().get_actions_detail(request, object_id) if is_on else []

    @operation(_("新增对应"), icon="add", path="create", variant="primary")
    def create(self, request: HttpRequest) -> HttpResponse:
        def run(cleaned: dict[str, Any]) -> str:
            link_id = services.link_tags(
                member_tag_id=cleaned["member_tag"].pk,
                follower_tag_id=cleaned["follower_tag"].pk,
                direction=cleaned["direction"],
                actor=staff_actor(request),
            )
            services.work_tag_link(link_id=link_id)
            return _now("已建立对应，正在同步")

        question = Question(
            title=_("新增标签对应"),
            submit=_("建立对应"),
            back_url=reverse(_LIST),
            lines=[
                _("会员标签 → 微信标签：有这个会员标签、又关注着公众号的人，微信里打上；没有了就去掉"),
                _("微信标签 → 会员标签：微信里带这个标签的人打上会员标签；由此打上的，微信里没有了就去掉"),
                _("微信后台手工打上的、导购和后台手工打的标签都不会被去掉；每个微信标签只能有一个对应"),
                _("微信每位粉丝最多 20 个标签；粉丝不会收到任何消息"),
            ],
        )
        return ask(self, request, question, run, form=LinkForm(bound_data(request)))

    @operation(_("现在核对"), icon="sync", path="look")
    def look(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(link: TagLink) -> HttpResponse:
            def run(_cleaned: dict[str, Any]) -> str:
                if link.direction == LinkDirection.PULL:
                    tag_lists.read_tag_lists(tag_pks=[link.follower_tag_id], turn_s=_PATIENCE_S)
                services.work_tag_link(link_id=link.pk)
                return _now("已核对，需要改的正在同步到微信")

            lines = [_("平时每小时核对一次，会员标签变化后半分钟内核对"), _("微信的名单每 6 小时读一次")]
            question = Question(
                title=_("现在核对"), submit=_("核对"), back_url=self._page_of(link), lines=lines
            )
            return ask(self, request, question, run, subject=link)

        return self._with_link(request, object_id, act)

    @operation(_("重试被拒绝的"), icon="replay", path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(link: TagLink) -> HttpResponse:
            def run(_cleaned: dict[str, Any]) -> str:
                count = taggings.retry_failed_taggings(tag_pk=link.follower_tag_id)
                return _now("%(n)s 人重新排队") % {"n": thousands(count)}

            lines = [_("微信拒绝的多半是标签已满 20 个的粉丝；系统每天自动再试一次")]
            question = Question(
                title=_("重试被微信拒绝的粉丝"), submit=_("重试"), back_url=self._page_of(link), lines=lines
            )
            return ask(self, request, question, run, subject=link)

        return self._with_link(request, object_id, act)

    @operation(_("停用"), variant="danger", path="end")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(link: TagLink) -> HttpResponse:
            def run(_cleaned: dict[str, Any]) -> str:
                services.unlink_tags(link_id=link.pk, actor=staff_actor(request))
                return _now("已停用，两边的标签都留在原处")

            question = Question(
                title=_("停用这个对应"),
                submit=_("停用"),
                back_url=reverse(_LIST),
                lines=[_("两边已经打上的标签都不动，以后各变各的；还没同步到微信的不再同步")],
                is_dangerous=True,
            )
            return ask(self, request, question, run, subject=link)

        return self._with_link(request, object_id, act)

    def _with_link(
        self, request: HttpRequest, object_id: str, act: Callable[[TagLink], HttpResponse]
    ) -> HttpResponse:
        link = self.subject(request, object_id)
        return self.no_subject(request, object_id) if link is None else act(link)

    def _page_of(self, link: TagLink) -> str:
        return reverse("admin:guides_taglink_change", args=[link.pk])
