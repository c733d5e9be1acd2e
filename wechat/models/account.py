"""The accounts we serve, their tokens and their budget of permanent codes."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet


class AccountKind(models.TextChoices):
    OFFICIAL = "official", _("公众号")
    MINI_PROGRAM = "mini_program", _("小程序")


class PushMode(models.TextChoices):
    """How WeChat is set to push. Safe is the only mode in which the body is authenticated."""

    PLAIN = "plain", _("明文模式")
    COMPATIBLE = "compatible", _("兼容模式")
    SAFE = "safe", _("安全模式")


class Account(models.Model):
    """One official account or mini-program of the chain. Secrets are sealed and never shown again."""

    slug = models.SlugField(_("短名"), max_length=40, unique=True, help_text=_("出现在回调地址里，如 main"))
    name = models.CharField(_("名称"), max_length=60)
    kind = models.CharField(_("类型"), max_length=16, choices=AccountKind, default=AccountKind.OFFICIAL)
    app_id = models.CharField(_("AppID"), max_length=40, unique=True)
    original_id = models.CharField(_("原始ID"), max_length=40, help_text=_("以 gh_ 开头"))
    app_secret = SealedTextField(_("AppSecret"))
    push_token = SealedTextField(
        _("推送令牌(Token)"), validators=[RegexValidator(r"^[0-9A-Za-z]{3,32}$", _("3–32 位字母或数字"))]
    )
    push_mode = models.CharField(_("消息加解密方式"), max_length=12, choices=PushMode, default=PushMode.SAFE)
    aes_key = SealedTextField(_("EncodingAESKey"), blank=True, help_text=_("43 位；明文模式可不填"))
    previous_aes_key = SealedTextField(
        _("上一个 EncodingAESKey"), blank=True, help_text=_("更换密钥后的过渡期内保留")
    )
    is_active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)
    # Raised by a trigger of the database whenever a table of the reply rules changes, whoever changes it: processes
    # compare it with the rules they hold compiled (ADR 46).
    reply_version = models.BigIntegerField(default=0, editable=False)

    objects = LockingQuerySet["Account"].as_manager()

    class Meta:
        verbose_name = _("微信账号")
        verbose_name_plural = _("微信账号")

    def __str__(self) -> str:
        return self.name


class TokenKind(models.TextChoices):
    ACCESS = "access", _("接口令牌")
    JSAPI = "jsapi", _("网页票据")


class AccessToken(models.Model):
    """The one current token of a kind for an account, shared by every process.

    It lives in PostgreSQL, not Redis: flushing Redis must not cost a token, and the lease below makes one
    process the only refresher without holding a transaction open over the call to WeChat.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=8, choices=TokenKind)
    value = SealedTextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    # While set and in the future, one process is refreshing; the others use the old value or wait for it.
    leased_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True)
    # stable_token's force_refresh is ignored by WeChat within 30 s and beyond 20 a day.
    forced_at = models.DateTimeField(null=True)
    forced_on = models.DateField(null=True)
    forced_count = models.PositiveIntegerField(default=0)

    objects = LockingQuerySet["AccessToken"].as_manager()

    class Meta:
        verbose_name = _("接口令牌")
        verbose_name_plural = _("接口令牌")
        constraints = [
            models.UniqueConstraint(fields=["account", "kind"], name="accesstoken_one_per_account_and_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.kind}"


class PermanentCodeBudget(models.Model):
    """How many of the account's permanent codes are spent. WeChat gives 100,000 for ever and no delete."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="code_budget", primary_key=True
    )
    cap = models.PositiveIntegerField(_("上限"), default=100_000)
    spent_count = models.PositiveIntegerField(_("已用"), default=0)

    class Meta:
        verbose_name = _("永久码额度")
        verbose_name_plural = _("永久码额度")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(spent_count__lte=models.F("cap")), name="permanentcodebudget_within_cap"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spent_count}/{self.cap}"
