"""自定义菜单: the history of versions, the editor with its phone, publishing, and what WeChat has beside it."""

import json
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    ChoiceFilter,
    OwnPage,
    Question,
    ReadOnlyAdmin,
    ask,
    column,
    operation,
    staff_actor,
    when,
)
from core.errors import Conflict, Refusal
from wechat.admin.menu_sight import MenuSight, official_accounts
from wechat.errors import MenuUnfit
from wechat.models import Account, FollowerTag, MenuVersion, ReplyRule
from wechat.models.account import AccountKind
from wechat.models.menus import MenuState
from wechat.models.replies import ReplyTrigger
from wechat.services import menu_rules, menus
from wechat.services.menu_comparing import button_words, compare_menu
from wechat.services.menu_leases import is_publishing
from wechat.services.menu_publishing import MenuPublication, publish_menu

_LIST: Final = "admin:wechat_menuversion_changelist"
_EDITOR: Final = "admin:wechat_menu_editor"
_COLOURS: Final = {
    "draft": "info",
    "unclear": "danger",
    "partial": "warning",
    "published": "success",
    "superseded": "",
}
_LIMITS: Final = {
    "columns": menu_rules.MOST_COLUMNS,
    "below": menu_rules.MOST_BELOW,
    "top_bytes": menu_rules.TOP_NAME_BYTES,
    "below_bytes": menu_rules.BELOW_NAME_BYTES,
    "conditionals": menu_rules.MOST_CONDITIONALS,
}


class MenuStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in MenuState)


@admin.register(MenuVersion)
class MenuVersionAdmin(MenuSight, OwnPage, ReadOnlyAdmin):
    """Versions are made in the editor; here they are looked at, brought back and published."""

    empty_words = _("点右上角的“编辑菜单”写第一版")

    class Media:
        js = ("admin_xiaoer/menus.js",)
        css = {"all": ("admin_xiaoer/menus.css",)}

    list_display = ("number", "account", "summary", "state_label", "note", "saved", "published")
    list_select_related = ("account",)
    list_filter = (MenuStateFilter, "account")
    search_fields = ("note", "saved_by", "published_by")
    search_help_text = _("按备注、保存人或发布人查找")
    ordering = ("-saved_at", "-pk")
    actions_list = ("edit", "compare")

    @column(_("菜单"))
    def summary(self, row: MenuVersion) -> str:
        names = "、".join(button["name"] for button in row.buttons)
        if not row.conditionals:
            return names
        return _now("%(names)s，另有 %(count)s 个个性化菜单") % {
            "names": names,
            "count": len(row.conditionals),
        }

    @column(_("状态"), labels=_COLOURS)
    def state_label(self, row: MenuVersion) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("保存"), ordering="saved_at")
    def saved(self, row: MenuVersion) -> str:
        return f"{when(row.saved_at)} {row.saved_by}"

    @column(_("发布"), ordering="published_at")
    def published(self, row: MenuVersion) -> str:
        return f"{when(row.published_at)} {row.published_by}" if row.published_at else "—"

    @operation(_("编辑菜单"), icon="edit", path="edit-menu", variant="primary")
    def edit(self, request: HttpRequest) -> HttpResponse:
        return self._choose(request, _EDITOR)

    @operation(_("与微信比较"), icon="compare_arrows", needs=("view",), path="compare-menu")
    def compare(self, request: HttpRequest) -> HttpResponse:
        return self._choose(request, "admin:wechat_menu_comparison")

    def _choose(self, request: HttpRequest, url_name: str) -> HttpResponse:
        """The page of the one account; with several, of the filtered or the oldest one, which leads to the others."""
        wanted = request.GET.get("account__id__exact", "")
        accounts = official_accounts()
        chosen = accounts.filter(pk=wanted).first() if wanted.isdecimal() else None
        account = chosen or accounts.first()
        if account is None:
            messages.error(request, _now("还没有启用的公众号，请先添加账号"))
            return HttpResponseRedirect(reverse(_LIST))
        return HttpResponseRedirect(reverse(url_name, args=[account.pk]))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("account/<int:account_id>/edit/", "wechat_menu_editor", self.editor_view),
            ("account/<int:account_id>/compare/", "wechat_menu_comparison", self.comparison_view),
            *self.sight_urls(),
            ("<int:version_id>/publish/", "wechat_menu_publishing", self.publishing_view),
            ("<int:version_id>/restore/", "wechat_menu_restoring", self.restoring_view),
        )

    def editor_view(self, request: HttpRequest, account_id: int, model_admin: Any = None) -> HttpResponse:
        """The draft, or what is published while there is none."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        account = get_object_or_404(official_accounts(), pk=account_id)
        draft = menus.find_draft(account_id)
        source = draft or menus.find_newest_in_use(account_id)
        page: dict[str, Any] = {
            "buttons": source.buttons if source else [],
            "conditionals": source.conditionals if source else [],
            "note": draft.note if draft else "",
            "revision": draft.revision if draft else 0,
            "problems": [],
        }
        if request.method == "POST":
            answer = self._save(request, account, page)
            if answer is not None:
                return answer
        context = self.desk_context(request, account, _("编辑菜单")) | {
            "page": page | self._choices(account),
            "note": page["note"],
            "revision": page["revision"],
            "draft": draft,
            "source": source,
            "problems": [_place_words(problem) for problem in page["problems"]],
        }
        return TemplateResponse(request, "admin/xiaoer/menu_editor.html", context)

    def _save(self, request: HttpRequest, account: Account, page: dict[str, Any]) -> HttpResponse | None:
        """Store what was typed; None when it cannot be, with everything typed kept on the page."""
        try:
            typed = json.loads(request.POST.get("menus", ""))
            revision = int(request.POST.get("revision", "0"))
        except (ValueError, RecursionError):
            typed, revision = None, 0
        if not isinstance(typed, dict):
            messages.error(request, _now("没有收到菜单内容，请刷新页面再试"))
            return None
        page["buttons"] = menu_rules.clean_buttons(typed.get("buttons"))
        page["conditionals"] = menu_rules.clean_conditionals(typed.get("conditionals"))
        page["note"], page["revision"] = request.POST.get("note", ""), revision
        try:
            version = menus.save_menu_draft(
                account_id=account.pk,
                buttons=page["buttons"],
                conditionals=page["conditionals"],
                note=page["note"],
                revision=revision,
                actor=staff_actor(request),
            )
        except MenuUnfit as refusal:
            page["problems"] = refusal.details["problems"]
            return None
        except Conflict:
            words = _now("您打开以后，有人保存过这份草稿。您的修改还在下面；刷新页面可以看到她保存的内容")
            messages.error(request, words)
            return None
        if "_publish" in request.POST:
            return HttpResponseRedirect(reverse("admin:wechat_menu_publishing", args=[version.pk]))
        messages.success(request, _now("草稿已保存，会员看到的菜单还没有变"))
        return HttpResponseRedirect(request.path)

    def _choices(self, account: Account) -> dict[str, Any]:
        rules = ReplyRule.objects.filter(account=account, trigger=ReplyTrigger.CLICK, is_active=True)
        mini = Account.objects.filter(kind=AccountKind.MINI_PROGRAM, is_active=True).order_by("pk")
        tags = FollowerTag.objects.live().filter(account=account).order_by("wechat_tag_id")
        return {
            "limits": _LIMITS,
            "kinds": [
                {"key": key, "title": str(title), "fields": fields}
                for key, (title, fields) in menu_rules.KINDS.items()
            ],
            "fields": {
                key: {"title": str(title), "bytes": most} for key, (title, most) in menu_rules.FIELDS.items()
            },
            "rules": list(rules.order_by("menu_key").values("menu_key", "name")),
            "minis": list(mini.values("app_id", "name")),
            "tags": [{"id": str(tag.wechat_tag_id), "name": tag.name} for tag in tags],
            "may_edit": True,
        }

    def publishing_view(self, request: HttpRequest, version_id: int, model_admin: Any = None) -> HttpResponse:
        """What publishing changes for whom, then one button."""
        version = self._version(request, version_id)
        back = reverse("admin:wechat_menuversion_change", args=[version.pk])

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            done = publish_menu(version_id=version.pk, actor=staff_actor(request))
            level = messages.SUCCESS if done.state == "published" else messages.ERROR
            messages.add_message(request, level, _publication_words(done))
            return HttpResponseRedirect(back)

        names = "、".join(button["name"] for button in version.buttons)
        lines = [
            _now("公众号：%(name)s") % {"name": version.account.name},
            _now("所有粉丝会看到的菜单：%(names)s") % {"names": names},
            *(
                _now("标签「%(tag)s」的粉丝看到：%(names)s")
                % {
                    "tag": one["tag_name"] or one["tag_id"],
                    "names": "、".join(button["name"] for button in one["buttons"]),
                }
                for one in version.conditionals
            ),
            _now("微信里其他的个性化菜单会被删除"),
            _now("已经打开公众号的粉丝，最多 5 分钟后重新进入时看到新菜单"),
        ]
        question = Question(
            title=_("发布菜单第 %(number)s 版") % {"number": version.number},
            submit=_("现在发布"),
            back_url=back,
            lines=lines,
        )
        return ask(self, request, question, run, subject=version)

    def restoring_view(self, request: HttpRequest, version_id: int, model_admin: Any = None) -> HttpResponse:
        """An earlier version becomes the draft; from there it is looked at and published."""
        version = self._version(request, version_id)
        draft = menus.find_draft(version.account_id)
        lines = [
            _now("第 %(number)s 版的内容会成为新的草稿，会员看到的菜单还不会变") % {"number": version.number}
        ]
        if draft is not None:
            lines.append(_now("现在的草稿（第 %(number)s 版）会被覆盖") % {"number": draft.number})

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            restored = menus.restore_version(version_id=version.pk, actor=staff_actor(request))
            return HttpResponseRedirect(reverse("admin:wechat_menu_publishing", args=[restored.pk]))

        question = Question(
            title=_("恢复菜单第 %(number)s 版") % {"number": version.number},
            submit=_("恢复，然后确认发布"),
            back_url=reverse("admin:wechat_menuversion_change", args=[version.pk]),
            lines=lines,
            is_dangerous=draft is not None,
        )
        return ask(self, request, question, run, subject=version)

    def comparison_view(self, request: HttpRequest, account_id: int, model_admin: Any = None) -> HttpResponse:
        """WeChat is asked when the page is opened; it changes nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        account = get_object_or_404(official_accounts(), pk=account_id)
        comparison, refusal = None, None
        try:
            comparison = compare_menu(account_id=account_id)
        except Refusal as caught:
            refusal = caught
        context = self.desk_context(request, account, _("与微信比较")) | {
            "comparison": comparison,
            "refusal": refusal,
            "may_operate": self.has_operate_permission(request),
            "page": {"buttons": list(comparison.theirs) if comparison else [], "conditionals": []},
            "ours": menus.find_newest_in_use(account_id),
            "may_remove": bool(comparison and comparison.theirs),
        }
        return TemplateResponse(request, "admin/xiaoer/menu_comparison.html", context)

    def row_page(self, request: HttpRequest, row: MenuVersion) -> HttpResponse:
        menu_lines = [(_now("默认菜单"), _lines(row.buttons))]
        menu_lines += [
            (_now("标签「%(tag)s」") % {"tag": one["tag_name"] or one["tag_id"]}, _lines(one["buttons"]))
            for one in row.conditionals
        ]
        context = self.desk_context(
            request, row.account, _("第 %(number)s 版菜单") % {"number": row.number}
        ) | {
            "original": row,
            "row": row,
            "state": row.get_state_display(),
            "saved": self.saved(row),
            "published": self.published(row),
            "menu_lines": menu_lines,
            "page": {"buttons": row.buttons, "conditionals": row.conditionals},
            "may_operate": self.has_operate_permission(request),
            "is_publishing": row.state == MenuState.UNCLEAR and is_publishing(row.account_id),
            **self.below_form(request, row),
        }
        return TemplateResponse(request, "admin/xiaoer/menu_version.html", context)

    def _version(self, request: HttpRequest, version_id: int) -> MenuVersion:
        if not self.has_operate_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("account")
        version: MenuVersion = get_object_or_404(rows, pk=version_id)
        return version


def _lines(buttons: list[dict[str, Any]]) -> list[tuple[bool, str]]:
    """Every button in one line, those below another one marked."""
    lines = []
    for button in buttons:
        lines.append((False, button_words(button)))
        lines += [(True, button_words(item)) for item in button.get("sub_button", ())]
    return lines


def _place_words(problem: dict[str, Any]) -> str:
    """A problem with its place, for whoever does not see the phone."""
    menu = problem["menu"]
    words = [_now("个性化菜单 %(number)s") % {"number": menu} if menu else _now("默认菜单")]
    names = (_now("第 %(n)s 列"), _now("第 %(n)s 项"))
    words += [name % {"n": number + 1} for name, number in zip(names, problem["path"], strict=False)]
    return f"{' '.join(words)}：{problem['message']}"


def _publication_words(done: MenuPublication) -> str:
    code = _now("（微信返回 %(code)s）") % {"code": done.errcode} if done.errcode else ""
    if done.state == "published":
        return _now("已发布，粉丝最多 5 分钟后看到新菜单")
    if done.state == "partial":
        return _now("默认菜单已换好，但个性化菜单没有全部换好%(code)s。请再发布一次，会接着修好") % {
            "code": code
        }
    return _now("微信没有回答，不知道菜单换了没有%(code)s。请再发布一次，重复发布不会有坏处") % {"code": code}
