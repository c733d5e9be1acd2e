"""粉丝标签: the tags of each official account, as WeChat has them, changed there through us."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    DressedForm,
    Question,
    ReadOnlyAdmin,
    ask,
    bound_data,
    operation,
    staff_actor,
)
from wechat.admin.mirrors import LiveFilter, MirrorPages
from wechat.models import Account, FollowerTag
from wechat.models.account import AccountKind
from wechat.services import follower_tags

_LIST = "admin:wechat_followertag_changelist"


class TagNameForm(DressedForm):
    name = forms.CharField(label=_("标签名"), max_length=follower_tags.LONGEST_NAME)


class NewTagForm(TagNameForm):
    account = forms.ModelChoiceField(
        label=_("公众号"),
        queryset=Account.objects.filter(is_active=True, kind=AccountKind.OFFICIAL).order_by("pk"),
        empty_label=None,
    )
    field_order = ("account", "name")


@admin.register(FollowerTag)
class FollowerTagAdmin(MirrorPages, ReadOnlyAdmin):
    """WeChat has the tags; each change is made there first."""

    empty_words = _("点右上角的同步，把微信后台的粉丝标签取过来；也可以在这里新建")
    sync_title = _("从微信同步粉丝标签")
    sync_lines = (
        _("会读取这些公众号在微信后台的标签：%(names)s"),
        _("微信里已经删除的标签会标为已消失；粉丝不会收到任何消息"),
    )
    sync_rows = staticmethod(follower_tags.sync_follower_tags)
    synced_words = _(
        "%(name)s：共 %(all)s 个标签，新增 %(new)s 个，有变化 %(changed)s 个，已删除 %(gone)s 个"
    )

    list_display = ("name", "account", "follower_count", "state_label", "synced")
    list_select_related = ("account",)
    list_filter = (LiveFilter, "account")
    search_fields = ("name",)
    search_help_text = _("按标签名查找")
    ordering = ("gone_at", "account", "name", "pk")
    fields = ("account", "name", "wechat_tag_id", "follower_count", "state_label", "synced")
    actions_list = ("create", "sync")
    actions_detail = ("rename", "remove")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Nothing to change about a tag that WeChat has no more."""
        row = self.subject(request, str(object_id))
        is_live = row is not None and row.gone_at is None
        return super().get_actions_detail(request, object_id) if is_live else []

    @operation(_("新建标签"), icon="add", path="create", variant="primary")
    def create(self, request: HttpRequest) -> HttpResponse:
        def run(cleaned: dict[str, Any]) -> str:
            card = follower_tags.create_follower_tag(
                account_id=cleaned["account"].pk, name=cleaned["name"], actor=staff_actor(request)
            )
            return _now("已在微信新建标签「%(name)s」") % {"name": card.name}

        question = Question(
            title=_("新建粉丝标签"),
            submit=_("新建"),
            back_url=reverse(_LIST),
            lines=[_("一个公众号最多 100 个标签，标签名最多 30 个字"), _("每位粉丝最多 20 个标签")],
        )
        return ask(self, request, question, run, form=NewTagForm(bound_data(request)))

    @operation(_("同步标签"), icon="sync", path="sync")
    def sync(self, request: HttpRequest) -> HttpResponse:
        return self.ask_to_sync(request)

    def synced_accounts(self) -> list[Account]:
        return [account for account in super().synced_accounts() if account.kind == AccountKind.OFFICIAL]

    @operation(_("改名"), path="rename")
    def rename(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(tag: FollowerTag) -> HttpResponse:
            def run(cleaned: dict[str, Any]) -> str:
                follower_tags.rename_follower_tag(pk=tag.pk, name=cleaned["name"], actor=staff_actor(request))
                return _now("标签已改名为「%(name)s」") % {"name": cleaned["name"]}

            question = Question(
                title=_("给标签「%(name)s」改名") % {"name": tag.name},
                submit=_("保存"),
                back_url=self._page_of(tag),
                lines=[_("微信后台里的名字一起改；粉丝身上的标签不变")],
            )
            form = TagNameForm(bound_data(request), initial={"name": tag.name})
            return ask(self, request, question, run, form=form, subject=tag)

        return self._with_tag(request, object_id, act)

    @operation(_("删除标签"), variant="danger", path="remove")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(tag: FollowerTag) -> HttpResponse:
            def run(_cleaned: dict[str, Any]) -> str:
                follower_tags.delete_follower_tag(pk=tag.pk, actor=staff_actor(request))
                return _now("标签「%(name)s」已从微信删除") % {"name": tag.name}

            question = Question(
                title=_("删除标签「%(name)s」") % {"name": tag.name},
                submit=_("删除"),
                back_url=reverse(_LIST),
                lines=[
                    _("微信会从所有粉丝身上去掉这个标签，不能恢复"),
                    _("用它的个性化菜单也不再生效；超过 10 万粉丝的标签微信不让删"),
                ],
                is_dangerous=True,
            )
            return ask(self, request, question, run, subject=tag)

        return self._with_tag(request, object_id, act)

    def _with_tag(
        self, request: HttpRequest, object_id: str, act: Callable[[FollowerTag], HttpResponse]
    ) -> HttpResponse:
        tag = self.subject(request, object_id)
        return self.no_subject(request, object_id) if tag is None else act(tag)

    def _page_of(self, tag: FollowerTag) -> str:
        return reverse("admin:wechat_followertag_change", args=[tag.pk])
