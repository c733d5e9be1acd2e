"""Face to face: a guide shows a code for some minutes, who scans it has a coupon."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch
from coupons.models.coupons import Coupon


class FaceToFaceOfferQuerySet(LockingQuerySet["FaceToFaceOffer"]):
    def live(self, at: dt.datetime) -> Self:
        """Whose scans bring a coupon at that moment."""
        return self.filter(closed_at__isnull=True, opened_at__lte=at, expires_at__gt=at)


class FaceToFaceOffer(models.Model):
    """One batch offered by one guide to whoever scans her code within the minutes; closed early or over by itself.

    The code lives a day longer than the offer: a picture scanned too late still finds the guide, and is told that
    the coupon is over.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次")
    )
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, related_name="+", verbose_name=_("导购")
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店")
    )
    channel_code = models.OneToOneField(
        "guides.ChannelCode", on_delete=models.PROTECT, related_name="+", verbose_name=_("渠道码")
    )
    request_key = models.CharField(max_length=80, editable=False)
    opened_at = models.DateTimeField(_("出示时间"))
    expires_at = models.DateTimeField(_("到期时间"))
    closed_at = models.DateTimeField(_("提前结束时间"), null=True, blank=True)

    objects = FaceToFaceOfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("面对面发券")
        verbose_name_plural = _("面对面发券")
        constraints = [
            models.UniqueConstraint(fields=["guide", "request_key"], name="facetofaceoffer_once_per_request"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("opened_at")), name="facetofaceoffer_ends_after_it_begins"
            ),
        ]
        # Used by mend_face_to_face: those of the last day.
        indexes = [models.Index(fields=["opened_at"], name="facetofaceoffer_by_time")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ClaimOutcome(models.TextChoices):
    """What one scan of an offer's code brought."""

    ISSUED = "issued", _("领到")
    REPEATED = "repeated", _("已领过，再次扫码")
    REFUSED = "refused", _("没有领到")
    LATE = "late", _("已结束后扫码")


class FaceToFaceClaim(models.Model):
    """One scan of an offer's code and what came of it; never changed."""

    offer = models.ForeignKey(
        FaceToFaceOffer, on_delete=models.PROTECT, related_name="claims", verbose_name=_("面对面发券")
    )
    # One scan, one answer: whoever handles it twice finds the first.
    scan = models.OneToOneField(
        "guides.ChannelScan", on_delete=models.PROTECT, related_name="+", verbose_name=_("扫码记录")
    )
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    coupon = models.ForeignKey(
        Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("券")
    )
    outcome = models.CharField(_("结果"), max_length=8, choices=ClaimOutcome)
    reason = models.CharField(_("原因"), max_length=60, blank=True)  # the code of the refusal
    at = models.DateTimeField(_("时间"))

    objects = LockingQuerySet["FaceToFaceClaim"].as_manager()

    class Meta:
        verbose_name = _("面对面领取")
        verbose_name_plural = _("面对面领取")
        constraints = [
            # Of two scans of one member at once one brought the coupon.
            models.UniqueConstraint(
                fields=["coupon"],
                condition=Q(outcome="issued"),
                name="facetofaceclaim_brought_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["issued", "repeated"], coupon__isnull=False, reason="")
                | Q(outcome="refused", coupon__isnull=True) & ~Q(reason="")
                | Q(outcome="late", coupon__isnull=True, reason=""),
                name="facetofaceclaim_outcome_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
