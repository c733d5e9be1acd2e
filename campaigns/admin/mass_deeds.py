"""Deciding about mass messages: confirm, take back, give up, ask again, delete; each is asked first."""

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import services
from campaigns.admin import mass_words as words
from campaigns.admin.mass_forms import TimeForm
from campaigns.models import MassMessage
from campaigns.selectors.mass import get_mass_use
from campaigns.services.mass_confirming import refresh_audience
from core.admin import BaseAdmin, Question, ask, bound_data, staff_actor, when
from wechat.services.accounts import get_account

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


def row_url(pk: int) -> str:
    """The page of one mass message."""
    return reverse("admin:campaigns_massmessage_change", args=[pk])


class MassDeeds(_Base):
    """Mix into the admin of mass messages, which opens a row (`open_row`) for who may see it."""

    @abc.abstractmethod
    def open_row(self, request: HttpRequest, pk: int) -> MassMessage:
        """The admin's own. Raises PermissionDenied."""

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        """A right of its own: nothing brings a mass message back."""
        return bool(request.user.has_perm("campaigns.confirm_massmessage"))

    def confirm_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """What goes to how many, then one button."""
        row = self.open_row(request, pk)
        if not self.has_confirm_permission(request):
            raise PermissionDenied

        def run(cleaned: dict[str, Any]) -> str:
            done = services.confirm_mass_message(
                message_id=row.pk,
                revision=cleaned["revision"],
                send_at=cleaned["send_at"],
                actor=staff_actor(request),
            )
            if cleaned["send_at"] is None:
                return _now("已确认，正在发送")
            return _now("已确认，%(at)s 发送；在那之前可以撤回") % {"at": when(done.send_at)}

        preview = (
            _now("这一版已经预览过")
            if row.previewed_revision == row.revision
            else _now("这一版还没有发给同事预览过")
        )
        question = Question(
            title=_now("确认群发「%(name)s」") % {"name": row.name},
            submit=_("确认发送"),
            back_url=row_url(row.pk),
            lines=[
                _now("公众号：%(name)s") % {"name": get_account(row.account_id).name},
                _now("内容：%(kind)s，%(what)s")
                % {"kind": row.get_kind_display(), "what": words.summary_words(row)},
                *words.reach_lines(row, refresh_audience(row)),
                *words.use_lines(row, get_mass_use(account_id=row.account_id)),
                preview,
                _now("发出后收不回来"),
            ],
            is_dangerous=True,
        )
        form = TimeForm(bound_data(request), initial={"revision": row.revision})
        return ask(self, request, question, run, form=form, subject=row)

    def do_view(self, request: HttpRequest, pk: int, verb: str, model_admin: Any = None) -> HttpResponse:
        """Take back, give up, ask again, delete: a question, then the service."""
        row = self.open_row(request, pk)
        deed = _DEEDS.get(verb)
        if deed is None:
            raise PermissionDenied
        title, line, done, service, needs_confirm = deed
        allowed = self.has_confirm_permission if needs_confirm else self.has_operate_permission
        if not allowed(request):
            raise PermissionDenied

        def run(_cleaned: dict[str, Any]) -> Any:
            made = service(message_id=row.pk, actor=staff_actor(request))
            if made is None:
                return done
            messages.success(request, done)
            return HttpResponseRedirect(row_url(made.pk))

        question = Question(
            title=f"{title}：{row.name}",
            submit=title,
            back_url=row_url(row.pk),
            lines=[line],
            is_dangerous=verb in ("delete", "drop"),
        )
        return ask(self, request, question, run, subject=row)


# Verb → its button, what will happen, what happened, the service, and whether confirming is the right it needs.
_DEEDS: Final[dict[str, tuple[Any, Any, Any, Callable[..., MassMessage | None], bool]]] = {
    "recall": (
        _("撤回修改"),
        _("变回草稿，不会发送；修改后要重新确认"),
        _("已撤回，变回草稿"),
        services.recall_mass_message,
        False,
    ),
    "copy": (
        _("复制成新草稿"),
        _("内容和名单一样的一份新草稿，不会发送；原来这条不变"),
        _("已复制，这是新的草稿"),
        services.copy_mass_message,
        False,
    ),
    "drop": (_("作废"), _("这份草稿不再使用，记录保留"), _("已作废"), services.drop_mass_message, False),
    "ask-again": (
        _("再问一次微信"),
        _("用同一个编号再发一次：微信收下过就只告诉我们，不会重复；没有收下过就现在发出"),
        _("正在询问"),
        services.ask_again,
        True,
    ),
    "delete": (
        _("删除图文"),
        _("图文打不开了，已经收到的人仍看得到卡片；同一篇图文的其他群发也会失效"),
        _("微信已删除这篇图文"),
        services.delete_mass_message,
        True,
    ),
}
