"""What each redemption meant in money, step by step: the book that statistics and settlement are added up from."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models.coupons import Redemption


class EntryKind(models.TextChoices):
    """A redemption has one `redeemed`, any number of `returned`, at most one `reversed`, in this order."""

    REDEEMED = "redeemed", _("核销")
    RETURNED = "returned", _("部分退货")
    REVERSED = "reversed", _("撤销核销")


class RedemptionEntry(models.Model):
    """One step of a redemption, written in the transaction that takes it and never changed. What was taken back is
    negative; after a reversal the entries of a redemption add up to nothing."""

    redemption = models.ForeignKey(
        Redemption, on_delete=models.PROTECT, related_name="entries", verbose_name=_("核销记录")
    )
    what = models.CharField(_("事项"), max_length=8, choices=EntryKind)
    # The Shanghai day it counts on: of the sale (an offline till reports later), of the return, of the reversal.
    day = models.DateField(_("计入日期"))
    at = models.DateTimeField(_("时间"))
    sales_fen = models.BigIntegerField(_("销售额（分）"))
    discount_fen = models.BigIntegerField(_("优惠金额（分）"))

    class Meta:
        verbose_name = _("核销流水")
        verbose_name_plural = _("核销流水")
        constraints = [
            models.UniqueConstraint(
                fields=["redemption"], name="redemptionentry_redeemed_once", condition=Q(what="redeemed")
            ),
            models.UniqueConstraint(
                fields=["redemption"], name="redemptionentry_reversed_once", condition=Q(what="reversed")
            ),
            models.CheckConstraint(
                condition=Q(what="redeemed", sales_fen__gte=0, discount_fen__gte=0)
                | ~Q(what="redeemed") & Q(sales_fen__lte=0, discount_fen__lte=0),
                name="redemptionentry_signs",
            ),
        ]
        indexes = [
            # Used by the rows behind a number.
            models.Index(fields=["day", "id"], name="redemptionentry_of_day"),
        ]

    def __str__(self) -> str:
        return f"#{self.redemption_id} {self.what}"
