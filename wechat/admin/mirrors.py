"""Lists that mirror what WeChat has: which of it is still there, when that was seen, and a look at WeChat now."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter, Question, ReadOnlyAdmin, ask, column, staff_actor, when
from core.errors import Refusal
from wechat.contracts import Mirrored
from wechat.models import Account, FollowerTag, MessageTemplate

if TYPE_CHECKING:
    _Base = ReadOnlyAdmin
else:
    _Base = object


class LiveFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "live"
    options = (("yes", _("可用")), ("no", _("已消失")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(gone_at__isnull=self.value() == "yes")


class MirrorPages(_Base):
    """Mix into the admin of a mirrored table; its `sync` operation answers with `ask_to_sync`."""

    # The question's title, what it says of the accounts (`names`) and below, and what one account's answer was.
    sync_title: ClassVar[str | Promise]
    sync_lines: ClassVar[Sequence[str | Promise]]
    synced_words: ClassVar[str | Promise]
    # The service that reads one account's: `account_id`, `actor`.
    sync_rows: ClassVar[Callable[..., Mirrored]]

    def synced_accounts(self) -> list[Account]:
        """Whose lists are read."""
        return list(Account.objects.filter(is_active=True).order_by("pk"))

    @column(_("状态"), labels={"live": "success", "gone": "danger"})
    def state_label(self, row: MessageTemplate | FollowerTag) -> tuple[str, str]:
        return ("live", _now("可用")) if row.gone_at is None else ("gone", _now("微信里已删除"))

    @column(_("同步时间"), ordering="synced_at")
    def synced(self, row: MessageTemplate | FollowerTag) -> str:
        return when(row.synced_at)

    def ask_to_sync(self, request: HttpRequest) -> HttpResponse:
        accounts = self.synced_accounts()
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            for account in accounts:
                self._sync_one(request, account)
            return HttpResponseRedirect(back)

        names = "、".join(_words_of(account) for account in accounts)
        question = Question(
            title=self.sync_title,
            submit=_("现在同步"),
            back_url=back,
            lines=[line % {"names": names} for line in self.sync_lines],
        )
        return ask(self, request, question, run)

    def _sync_one(self, request: HttpRequest, account: Account) -> None:
        name = _words_of(account)
        try:
            done = type(self).sync_rows(account_id=account.pk, actor=staff_actor(request))
        except Refusal as refusal:
            messages.error(
                request, _now("%(name)s：没有同步，%(why)s") % {"name": name, "why": refusal.message}
            )
            return
        counts = {
            "name": name,
            "all": done.total_count,
            "new": done.added_count,
            "changed": done.changed_count,
            "gone": done.gone_count,
        }
        messages.success(request, self.synced_words % counts)


def _words_of(account: Account) -> str:
    """Both kinds of account of a chain often have the same name."""
    return f"{account.name}（{account.get_kind_display()}）"
