"""自定义菜单: what one follower sees of it, and taking it away."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, DressedForm, Question, ask, bound_data, mask_openid, staff_actor, thousands
from core.errors import Refusal
from wechat.admin.recipients import HELP, openid_of_words
from wechat.models import Account, Follower
from wechat.models.account import AccountKind
from wechat.services import menus
from wechat.services.menu_removing import find_menu_of, remove_menu

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


def official_accounts() -> Any:
    """Those that have menus, the oldest first."""
    return Account.objects.filter(kind=AccountKind.OFFICIAL, is_active=True).order_by("pk")


class SightForm(DressedForm):
    """Whose menu to look at."""

    who = forms.CharField(label=_("哪位粉丝"), max_length=64, help_text=HELP)

    def __init__(self, account: Account, data: Any = None) -> None:
        super().__init__(data)
        self._account = account

    def clean_who(self) -> str:
        words = str(self.cleaned_data["who"])
        return openid_of_words(words, app_id=self._account.app_id, account_name=self._account.name)


class RemovalForm(DressedForm):
    reason = forms.CharField(label=_("为什么删除"), max_length=100)


class MenuSight(_Base):
    """Mixed into the menus' admin."""

    def sight_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("account/<int:account_id>/sight/", "wechat_menu_sight", self.sight_view),
            ("account/<int:account_id>/remove/", "wechat_menu_removal", self.removal_view),
        )

    def sight_view(self, request: HttpRequest, account_id: int, model_admin: Any = None) -> HttpResponse:
        """WeChat is asked which menu she has; it changes nothing."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        account = get_object_or_404(official_accounts(), pk=account_id)
        form = SightForm(account, request.POST if request.method == "POST" else None)
        buttons, refusal, openid = None, None, ""
        if form.is_bound and form.is_valid():
            openid = form.cleaned_data["who"]
            try:
                buttons = find_menu_of(account_id=account_id, openid=openid)
            except Refusal as caught:
                refusal = caught
        ours = menus.find_newest_in_use(account_id)
        context = self.desk_context(request, account, _("看某位粉丝的菜单")) | {
            "form": form,
            "refusal": _refusal_words(refusal) if refusal else "",
            "buttons": buttons,
            "which": _which(ours, buttons) if buttons is not None else "",
            "shown_openid": mask_openid(openid) if openid else "",
            "page": {"buttons": buttons or [], "conditionals": []},
        }
        return TemplateResponse(request, "admin/xiaoer/menu_sight.html", context)

    def removal_view(self, request: HttpRequest, account_id: int, model_admin: Any = None) -> HttpResponse:
        """What goes, for how many, how it comes back; then one button."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        account = get_object_or_404(official_accounts(), pk=account_id)
        ours = menus.find_newest_in_use(account_id)
        compare = reverse("admin:wechat_menu_comparison", args=[account_id])
        back = compare if ours is None else reverse("admin:wechat_menuversion_change", args=[ours.pk])

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            outcome = remove_menu(account_id=account_id, reason=cleaned["reason"], actor=staff_actor(request))
            if outcome == "unclear":
                words = _now("微信没有回答，不知道菜单删除了没有。请与微信比较，或者再删一次，重复不会有坏处")
                messages.error(request, words)
                return HttpResponseRedirect(compare)
            way_back = _now("要恢复时点「恢复这一版」") if ours else _now("要恢复时在编辑器里重新发布")
            messages.success(
                request, _now("微信里的菜单已删除，粉丝最多 5 分钟后看不到。%(how)s") % {"how": way_back}
            )
            return HttpResponseRedirect(back)

        followers = Follower.objects.filter(account=account, is_following=True).count()
        lines = [
            _now("公众号：%(name)s，%(count)s 位粉丝会看不到菜单")
            % {"name": account.name, "count": thousands(followers)},
            _now("默认菜单和所有个性化菜单一起删除，底部只剩输入框"),
        ]
        if ours is not None:
            lines.append(
                _now("第 %(number)s 版变成历史版本，内容还在，随时可以恢复并发布") % {"number": ours.number}
            )
        else:
            lines.append(_now("微信里的菜单不是从这里发布的，删除以后这里没有它的内容，恢复不了"))
        question = Question(
            title=_now("删除「%(name)s」在微信里的菜单") % {"name": account.name},
            submit=_("删除菜单"),
            back_url=back,
            lines=lines,
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=RemovalForm(bound_data(request)), subject=ours)

    def desk_context(self, request: HttpRequest, account: Account, title: Any) -> dict[str, Any]:
        """What every page of the menus' desk shows."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "account": account,
            "other_accounts": official_accounts().exclude(pk=account.pk),
            "media": self.media,
        }


def _refusal_words(refusal: Refusal) -> str:
    known = {
        40003: _now("微信说这个公众号没有这位粉丝"),
        46004: _now("微信说这个公众号没有这位粉丝"),
        65303: _now("这个公众号在微信里还没有菜单"),
    }
    code = refusal.details.get("errcode") or 0
    words = known.get(code, str(refusal.message))
    return f"{words}（{code}）" if code else words


def _which(ours: Any, buttons: list[dict[str, Any]]) -> str:
    """Which of the menus we published this is, in words."""
    if ours is None:
        return _now("这里没有发布过菜单，不能对照")
    if buttons == ours.buttons:
        return _now("和第 %(number)s 版的默认菜单一样") % {"number": ours.number}
    for one in ours.conditionals:
        if buttons == one["buttons"]:
            return _now("和第 %(number)s 版里标签「%(tag)s」的个性化菜单一样") % {
                "number": ours.number,
                "tag": one["tag_name"] or one["tag_id"],
            }
    return _now("和第 %(number)s 版的哪个菜单都不一样，请与微信比较") % {"number": ours.number}
