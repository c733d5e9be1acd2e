"""What follows a purchase: what the chain decided about it, how far it is worked off, and what members say of it."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet
from sales.models.documents import Sale


class PurchaseCare(models.Model):
    """The chain's one row about what members hear after a purchase; without it the defaults hold."""

    news_hours = models.PositiveSmallIntegerField(
        _("多久以内成交的才通知（小时）"),
        default=48,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("更早成交的单据（例如导入去年的订单）不通知会员、不邀请评价、也不按规则送券"),
    )
    is_notice_on = models.BooleanField(_("购物后通知会员"), default=True)
    is_return_notice_on = models.BooleanField(_("退货后通知会员"), default=True)
    is_review_on = models.BooleanField(_("邀请会员评价"), default=False)
    review_after_hours = models.PositiveSmallIntegerField(
        _("成交多久后邀请（小时）"), default=24, validators=[MaxValueValidator(720)]
    )
    review_open_days = models.PositiveSmallIntegerField(
        _("几天内可以评价"), default=14, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    review_store_ids = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        verbose_name=_("邀请评价的门店"),
    )
    review_region_ids = ArrayField(
        models.BigIntegerField(), default=list, blank=True, verbose_name=_("邀请评价的区域")
    )
    low_score = models.PositiveSmallIntegerField(
        _("几分及以下转服务请求"),
        default=2,
        validators=[MaxValueValidator(4)],
        help_text=_("满分 5 分；填 0 表示不转"),
    )
    low_score_kind = models.CharField(_("转成哪种服务请求"), max_length=16, blank=True)

    class Meta:
        verbose_name = _("购后设置")
        verbose_name_plural = _("购后设置")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="purchasecare_one_row"),
            models.CheckConstraint(
                condition=Q(
                    news_hours__range=(1, 720),
                    review_after_hours__lte=720,
                    review_open_days__range=(1, 90),
                    low_score__lte=4,
                ),
                name="purchasecare_numbers_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return str(_("购后设置"))


class CareCursor(models.Model):
    """Up to which sale (or return) everything that follows has been done, whatever event was lost."""

    kind = models.CharField(max_length=6, unique=True)  # sale | return
    done_id = models.BigIntegerField(default=0)

    objects = LockingQuerySet["CareCursor"].as_manager()

    class Meta:
        verbose_name = _("购后进度")
        verbose_name_plural = _("购后进度")

    def __str__(self) -> str:
        return f"{self.kind} {self.done_id}"


class ReviewState(models.TextChoices):
    """planned → open → answered or over; dropped from planned and open when the goods came back or she was erased."""

    PLANNED = "planned", _("等待邀请")
    OPEN = "open", _("等待评价")
    ANSWERED = "answered", _("已评价")
    OVER = "over", _("过期未评")
    DROPPED = "dropped", _("不再邀请")


class ReviewQuerySet(LockingQuerySet["Review"]):
    def unanswered(self) -> Self:
        """Those that may still become an answer."""
        return self.filter(state__in=[ReviewState.PLANNED, ReviewState.OPEN])


class Review(models.Model):
    """One order's invitation to be rated, and what its member said: 1 to 5, and words."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    # The same in all revisions of the order.
    order_key = models.CharField(max_length=40, unique=True, editable=False)
    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="+", verbose_name=_("销售单"))
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"), db_index=False
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店")
    )
    # Whose order it mainly was when it was booked.
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("导购")
    )
    state = models.CharField(_("状态"), max_length=8, choices=ReviewState, default=ReviewState.PLANNED)
    due_at = models.DateTimeField(_("邀请时间"))
    expires_at = models.DateTimeField(_("截止时间"))
    score = models.PositiveSmallIntegerField(_("评分"), null=True)
    words = SealedTextField(_("评价内容"), blank=True)  # may hold anything: sealed, 300 characters
    answered_at = models.DateTimeField(_("评价时间"), null=True)
    # What a low score became: "opened", or the code of why there is no request.
    request_outcome = models.CharField(_("服务请求"), max_length=60, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("购物评价")
        verbose_name_plural = _("购物评价")
        permissions = [("export_review", _("导出购物评价"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="answered", score__range=(1, 5), answered_at__isnull=False)
                | ~Q(state="answered") & Q(score__isnull=True, answered_at__isnull=True),
                name="review_answered_whole",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("due_at")), name="review_expires_after_due"
            ),
        ]
        indexes = [
            # Used by the job that opens what is due and ends what is over.
            models.Index(fields=["due_at"], name="review_due_queue", condition=Q(state="planned")),
            models.Index(fields=["expires_at"], name="review_ends_queue", condition=Q(state="open")),
            # Used by the staff's list: what was said last comes first, then whom nobody has heard of.
            models.Index(
                models.F("answered_at").desc(nulls_last=True),
                models.F("id").desc(),
                name="review_newest_said",
            ),
            # Used by the member's own list, and when she is merged.
            models.Index(fields=["member", "-id"], name="review_of_member"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
