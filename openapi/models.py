"""Who may call, with which secrets; what was called; and the answers that are given again."""

import datetime as dt
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.compiled import Given
from core.fields import SealedTextField
from core.models import LockingQuerySet

PER_MINUTE: Final = 600


class ClientKind(models.TextChoices):
    TILL = "till", _("收银机")
    PARTNER = "partner", _("合作方系统")


class Scope(models.TextChoices):
    """What a client may do; what is not listed on it, it may not."""

    VERIFY = "verify", _("验券")
    MEMBERS = "members", _("读会员码和会员的券")
    PRICE = "price", _("购物篮算价")
    LOCK = "lock", _("占用和释放券")
    REDEEM = "redeem", _("核销")
    RETURN = "return", _("撤销和退货")
    SALES_WRITE = "sales:write", _("推送销售单据")
    SALES_READ = "sales:read", _("查询销售单据")
    BEHAVIOURS = "behaviours", _("上报会员行为")
    JOURNEYS = "journeys", _("让会员进入自动化旅程")
    SEGMENTS_READ = "segments:read", _("查询人群和里面的会员")
    SEGMENTS_WRITE = "segments:write", _("新建和修改人群")


class ClientState(models.TextChoices):
    """active → revoked, at once and for good."""

    ACTIVE = "active", _("使用中")
    REVOKED = "revoked", _("已停用")


class ApiClient(models.Model):
    """One till, or one system of a partner, and for which part of the chain it acts."""

    key_id = models.CharField(
        _("密钥编号"), max_length=16, unique=True, default=new_public_id, editable=False
    )
    name = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=8, choices=ClientKind, default=ClientKind.TILL)
    store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("门店"),
    )
    dealer = models.ForeignKey(
        "guides.Dealer",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("经销商"),
    )
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope), verbose_name=_("权限"))
    # Under which its sales are booked: within one source an order number means one order.
    source = models.CharField(
        _("单据来源"),
        max_length=16,
        default="pos",
        help_text=_(
            "推送销售单据时的来源系统；同一来源里订单号不能重复，各店各自编号的收银系统请各用一个来源"
        ),
    )
    per_minute = models.PositiveIntegerField(_("每分钟最多请求"), default=PER_MINUTE)
    state = models.CharField(_("状态"), max_length=8, choices=ClientState, default=ClientState.ACTIVE)
    created_at = models.DateTimeField(_("创建时间"))
    last_used_at = models.DateTimeField(_("最近使用"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("停用时间"), null=True, blank=True)

    objects = LockingQuerySet["ApiClient"].as_manager()

    class Meta:
        verbose_name = _("接口密钥")
        verbose_name_plural = _("接口密钥")
        constraints = [
            models.CheckConstraint(
                condition=Q(store__isnull=True) | Q(dealer__isnull=True), name="apiclient_one_place"
            ),
            models.CheckConstraint(
                condition=Q(state="active", revoked_at__isnull=True)
                | Q(state="revoked", revoked_at__isnull=False),
                name="apiclient_revoked_at_a_time",
            ),
            models.CheckConstraint(condition=Q(per_minute__gt=0), name="apiclient_limit_positive"),
            models.CheckConstraint(condition=~Q(source=""), name="apiclient_source_is_named"),
        ]

    def __str__(self) -> str:
        return self.name


class ApiSecretQuerySet(LockingQuerySet["ApiSecret"]):
    def signing(self, at: dt.datetime | Given) -> Self:
        """Those that sign at that moment: the newest, and the one before while they overlap."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))


class ApiSecret(models.Model):
    """What a client signs with, sealed. The newest has no end; the one before ends when the overlap is over."""

    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="secrets")
    secret = SealedTextField()
    created_at = models.DateTimeField(_("创建时间"))
    ends_at = models.DateTimeField(_("失效时间"), null=True, blank=True)

    objects = ApiSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("接口密钥内容")
        verbose_name_plural = _("接口密钥内容")
        constraints = [
            models.UniqueConstraint(
                fields=["client"], name="apisecret_one_newest", condition=Q(ends_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ApiNonce(models.Model):
    """A nonce that a client signed with, kept while its time stamp could be sent again."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+", db_index=False)
    nonce = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("已用签名")
        verbose_name_plural = _("已用签名")
        constraints = [models.UniqueConstraint(fields=["client", "nonce"], name="apinonce_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ApiCall(models.Model):
    """The answer to one write under its Idempotency-Key, stored in the transaction of its effect."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=60)
    fingerprint = models.CharField(max_length=64)
    started_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()

    class Meta:
        verbose_name = _("写操作")
        verbose_name_plural = _("写操作")
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="apicall_key_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ApiRequest(models.Model):
    """One request of a client for its log: what was asked and how it ended, nothing of its content."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+", verbose_name=_("密钥"))
    at = models.DateTimeField(_("时间"), db_index=True)
    method = models.CharField(_("方法"), max_length=7)
    endpoint = models.CharField(_("接口"), max_length=40)
    status = models.PositiveSmallIntegerField(_("状态码"))
    code = models.CharField(_("错误码"), max_length=60, blank=True)
    took_ms = models.PositiveIntegerField(_("用时（毫秒）"))
    is_replay = models.BooleanField(_("重复请求"), default=False)

    class Meta:
        verbose_name = _("接口请求")
        verbose_name_plural = _("接口请求")
        indexes = [models.Index(fields=["client", "-id"], name="apirequest_of_client")]

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"
