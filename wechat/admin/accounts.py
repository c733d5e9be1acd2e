"""Accounts: what WeChat's console asks for, a test of the connection, and the budget of permanent codes."""

from typing import Any, Final

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    BaseAdmin,
    Panel,
    Question,
    ask,
    column,
    operation,
    percent,
    register_panel,
    staff_actor,
    thousands,
)
from core.errors import NotFound
from wechat.admin.account_forms import AccountForm
from wechat.client.errors import ApiError, TokenBusy, TransportError, WeChatError
from wechat.models import Account
from wechat.models.account import AccountKind, PushMode
from wechat.services import accounts, qrcodes, tokens

_MODE_COLOURS: Final[dict[str, str]] = {
    PushMode.SAFE: "success",
    PushMode.COMPATIBLE: "warning",
    PushMode.PLAIN: "danger",
}
# Official page "Get stable access token", its table of codes; 40013, 40125: the pair does not match.
_REFUSALS: Final[dict[int, Any]] = {
    40001: _("AppSecret 不对，请在微信后台重置后填到这里"),
    40002: _("微信没有认出请求，请稍后再试"),
    40013: _("AppID 不对，请从微信后台重新复制"),
    40125: _("AppSecret 不对，请在微信后台重置后填到这里"),
    40164: _("服务器的 IP 不在白名单里，请在微信后台「IP 白名单」加上"),
    40243: _("AppSecret 已被冻结，请在微信后台解冻"),
    45009: _("今天的调用次数已用完，明天零点恢复"),
    50004: _("这个账号的接口被微信停用了，请登录微信后台查看通知"),
    50007: _("这个账号已被微信冻结，请登录微信后台查看通知"),
    61004: _("服务器的 IP 不在白名单里，请在微信后台「IP 白名单」加上"),
    89503: _("微信正在等管理员确认这次 IP 调用，请管理员在微信里点同意"),
}


def callback_url(account: Account) -> str:
    """The address to paste into WeChat's console."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('wechat_callback', args=[account.slug])}"


def trouble_words(error: WeChatError) -> str:
    """A failed call in words that say what to do."""
    if isinstance(error, ApiError):
        known = _REFUSALS.get(error.errcode or 0)
        said = _now("微信返回 %(code)s：%(text)s") % {"code": error.errcode, "text": error.errmsg}
        return f"{known}（{error.errcode}）" if known is not None else said
    if isinstance(error, TokenBusy):
        return _now("另一个进程正在取令牌，请过几秒再试")
    if isinstance(error, TransportError):
        if error.how == "timeout":
            return _now("微信没有在规定时间内回答，请检查服务器网络后再试")
        return _now("连不上微信，请检查服务器能否访问 api.weixin.qq.com")
    return _now("收到的不是微信的回答，请检查服务器网络是否经过代理")


@admin.register(Account)
class AccountAdmin(BaseAdmin):
    """Accounts are added and switched off, never deleted: pushes and messages point to them."""

    form = AccountForm
    list_display = ("name", "kind_label", "app_id", "mode_label", "callback", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "slug", "app_id", "original_id")
    search_help_text = _("按名称、短名、AppID 或原始ID 查找")
    actions_detail = ("check_connection", "drop_previous_key")
    readonly_fields = ("callback_box", "previous_key_state", "created_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first = ("name", "kind", "slug", "app_id", "original_id", "is_active")
        push: tuple[str, ...] = ("push_mode", "token", "key")
        if obj is not None:
            push = ("callback_box", *push, "previous_key_state")
        if obj is not None and not self.has_change_permission(request, obj):
            push = ("callback_box", "push_mode", "previous_key_state")
            return ((None, {"fields": first}), (_("消息推送"), {"fields": push}))
        secrets = _("密钥只能填写、不能查看；已设置的留空就是不改")
        return (
            (None, {"fields": first}),
            (_("接口密钥"), {"fields": ("secret",), "description": secrets}),
            (_("消息推送"), {"fields": push}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What identities and the callback address hang on is fixed once the account exists."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "app_id", "kind", "slug")

    @column(
        _("类型"), ordering="kind", labels={AccountKind.OFFICIAL: "success", AccountKind.MINI_PROGRAM: "info"}
    )
    def kind_label(self, row: Account) -> tuple[str, str]:
        return row.kind, str(row.get_kind_display())

    @column(_("加解密方式"), ordering="push_mode", labels=_MODE_COLOURS)
    def mode_label(self, row: Account) -> tuple[str, str]:
        return row.push_mode, str(row.get_push_mode_display())

    @column(_("回调地址"))
    def callback(self, row: Account) -> str:
        return callback_url(row)

    @column(_("回调地址"))
    def callback_box(self, row: Account) -> str:
        url = callback_url(row)
        return format_html(
            '<span class="xe-copy"><code>{}</code><button type="button" data-copy="{}">{}</button></span>'
            '<div class="xe-quiet xe-small" style="margin-top:6px">{}</div>',
            url, url, _("复制"), _("填到微信后台「基本配置 → 服务器配置」的 URL 一栏"),
        )  # fmt: skip

    @column(_("上一个 EncodingAESKey"))
    def previous_key_state(self, row: Account) -> str:
        return _now("保留着，更换密钥时路上的推送仍能解开") if row.previous_aes_key else _now("没有")

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        accounts.forget_cached()
        if change and "secret" in form.changed_data:
            tokens.forget_tokens(account_id=obj.pk)
        if obj.push_mode == PushMode.PLAIN:
            messages.warning(request, _now("明文模式下推送内容没有加密，建议在微信后台改成安全模式"))

    @operation(_("检查连接"), icon="cable", path="check")
    def check_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.subject(request, object_id)
        if account is None:
            return self.no_subject(request, object_id)
        back = reverse("admin:wechat_account_change", args=[account.pk])

        def run(_cleaned: dict[str, Any]) -> str | HttpResponse:
            tokens.forget_tokens(account_id=account.pk)
            try:
                tokens.get_token(account_id=account.pk)
            except WeChatError as error:
                messages.error(request, _now("没有连通：%(why)s") % {"why": trouble_words(error)})
                return HttpResponseRedirect(back)
            except NotFound:
                messages.error(request, _now("这个账号没有启用，启用后再检查"))
                return HttpResponseRedirect(back)
            return _now("连接正常，已用 AppID 和 AppSecret 取到接口令牌")

        question = Question(
            title=_now("检查「%(name)s」的连接") % {"name": account.name},
            submit=_("现在检查"),
            back_url=back,
            lines=[
                _("会用保存的 AppID 和 AppSecret 向微信取一次接口令牌"),
                _("不会发送任何消息，也不影响正在使用的功能"),
            ],
        )
        return ask(self, request, question, run, subject=account)

    @operation(_("停用上一个密钥"), icon="key_off", path="drop-previous-key")
    def drop_previous_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After a leak the old key must not open pushes a moment longer than the change-over takes."""
        account = self.subject(request, object_id)
        if account is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            accounts.drop_previous_key(account_id=account.pk, actor=staff_actor(request))
            return _now("上一个密钥已停用")

        question = Question(
            title=_("停用上一个 EncodingAESKey"),
            submit=_("停用"),
            back_url=reverse("admin:wechat_account_change", args=[account.pk]),
            lines=[
                _("只有当前密钥能解开之后的推送"),
                _("刚换过密钥的，请等几分钟：微信可能还有用旧密钥加密的推送在路上"),
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=account)


def _budget_panel(request: HttpRequest, account: Account) -> Panel | None:
    if account.kind != AccountKind.OFFICIAL:
        return None
    budget = qrcodes.get_code_budget(account.pk)
    facts = [
        (_("已用"), thousands(budget.spent_count)),
        (_("上限"), thousands(budget.cap)),
        (_("还剩"), thousands(budget.remaining)),
        (_("用掉的比例"), percent(budget.spent_count, budget.cap)),
    ]
    note = _("永久二维码每个账号一共就这么多，微信不会收回；能用临时码的地方请用临时码")
    return Panel(_("永久二维码额度"), "admin/xiaoer/panel_facts.html", {"facts": facts, "note": note})


register_panel("wechat.Account", _budget_panel)
