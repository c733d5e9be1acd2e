"""Codes that people type in, printed or spoken, and what they were exchanged for."""

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch
from coupons.models.coupons import Coupon


class ExchangeKind(models.TextChoices):
    """Where the codes of a set come from."""

    GENERATED = "generated", _("系统生成，一码一券")
    IMPORTED = "imported", _("导入，一码一券")
    SHARED = "shared", _("通用口令")


class ExchangeSetState(models.TextChoices):
    """open → voided, for good. What was exchanged stays good."""

    OPEN = "open", _("可兑换")
    VOIDED = "voided", _("已作废")


class ExchangeSet(models.Model):
    """Codes made for one occasion: each is good for one coupon of a batch; or one phrase that everybody may use once."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="exchange_sets", verbose_name=_("券批次")
    )
    name = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("方式"), max_length=9, choices=ExchangeKind)
    state = models.CharField(_("状态"), max_length=6, choices=ExchangeSetState, default=ExchangeSetState.OPEN)
    opens_at = models.DateTimeField(_("兑换开始"), null=True, blank=True)
    closes_at = models.DateTimeField(_("兑换截止"), null=True, blank=True)
    code_count = models.PositiveIntegerField(_("兑换码数量"), default=0)
    # Of a shared phrase only: how many may use it, and did. None counts nobody and leaves it to the batch's quota.
    use_limit = models.PositiveIntegerField(_("口令最多兑换次数"), null=True, blank=True)
    used_count = models.PositiveIntegerField(_("口令已兑换次数"), default=0, editable=False)
    # The fingerprint of a constant: tells which index key the codes' fingerprints were made with.
    key_mark = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("创建时间"))
    taken_at = models.DateTimeField(_("下载时间"), null=True, blank=True, editable=False)

    objects = LockingQuerySet["ExchangeSet"].as_manager()

    class Meta:
        verbose_name = _("兑换码")
        verbose_name_plural = _("兑换码")
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True)
                | Q(closes_at__isnull=True)
                | Q(closes_at__gt=F("opens_at")),
                name="exchangeset_closes_after_it_opens",
            ),
            models.CheckConstraint(
                condition=Q(use_limit__isnull=True, used_count=0)
                | Q(kind="shared", use_limit__gt=0, used_count__lte=F("use_limit")),
                name="exchangeset_used_within_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExchangeCodeState(models.TextChoices):
    """free → used or voided; both are final."""

    FREE = "free", _("未兑换")
    USED = "used", _("已兑换")
    VOIDED = "voided", _("已作废")


class ExchangeCode(models.Model):
    """One code of a set, known by its keyed fingerprint. The code itself is sealed until it was downloaded, and gone
    after that. A shared phrase is the only code of its set and stays free."""

    LENGTH: Final = 16

    exchange_set = models.ForeignKey(
        ExchangeSet,
        on_delete=models.PROTECT,
        related_name="codes",
        verbose_name=_("兑换码批号"),
        db_index=False,
    )
    number = models.PositiveIntegerField(_("序号"))
    code_index = models.CharField(max_length=64, editable=False)
    plain = SealedTextField(blank=True, editable=False)
    state = models.CharField(
        _("状态"), max_length=6, choices=ExchangeCodeState, default=ExchangeCodeState.FREE
    )
    used_by = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("兑换人"),
    )
    coupon = models.OneToOneField(
        Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("券")
    )
    used_at = models.DateTimeField(_("兑换时间"), null=True, blank=True)
    request_key = models.CharField(max_length=80, blank=True, editable=False)

    objects = LockingQuerySet["ExchangeCode"].as_manager()

    class Meta:
        verbose_name = _("单个兑换码")
        verbose_name_plural = _("单个兑换码")
        constraints = [
            # Over all sets: a code by itself says what it is for.
            models.UniqueConstraint(fields=["code_index"], name="exchangecode_once"),
            models.UniqueConstraint(fields=["exchange_set", "number"], name="exchangecode_number_once"),
            models.CheckConstraint(
                condition=Q(state="used", used_by__isnull=False, coupon__isnull=False, used_at__isnull=False)
                | ~Q(state="used")
                & Q(used_by__isnull=True, coupon__isnull=True, used_at__isnull=True, request_key=""),
                name="exchangecode_used_says_by_whom",
            ),
        ]
        indexes = [
            # Used by the desk's list: those used last come first.
            models.Index(F("used_at").desc(nulls_last=True), F("id").desc(), name="exchangecode_by_use"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class ExchangeTally(models.Model):
    """How many wrong codes one member, or one address, typed in an hour; both only as a keyed fingerprint."""

    who = models.CharField(max_length=64, editable=False)
    hour = models.DateTimeField(editable=False)
    try_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("兑换尝试")
        verbose_name_plural = _("兑换尝试")
        constraints = [models.UniqueConstraint(fields=["who", "hour"], name="exchangetally_once_per_hour")]

    def __str__(self) -> str:
        return f"{self.hour} {self.try_count}"
