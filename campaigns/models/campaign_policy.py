"""What head office lets campaigns do."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Approvers(models.TextChoices):
    """Who approves what regions and stores run; campaigns of the whole chain are always head office's."""

    HEAD_OFFICE = "head_office", _("只由总部审批")
    REGIONS = "regions", _("本区域的负责人也可以审批")


class CampaignPolicy(models.Model):
    """The chain's one row of limits to campaigns. Until somebody has decided there is none, and the defaults hold.

    Holdout and hours hold for everybody; the rest for what regions and stores run.
    """

    may_regions = models.BooleanField(_("区域可以办自己的活动"), default=True)
    may_stores = models.BooleanField(_("门店可以办自己的活动"), default=True)
    approvers = models.CharField(
        _("区域和门店的活动由谁审批"),
        max_length=11,
        choices=Approvers,
        default=Approvers.HEAD_OFFICE,
        help_text=_("任何人都不能审批自己写的活动"),
    )
    most_recipients = models.PositiveIntegerField(
        _("超过多少人要总部审批"),
        null=True,
        blank=True,
        default=5_000,
        validators=[MinValueValidator(1)],
        help_text=_("区域负责人能审批的最多人数；不填不限制"),
    )
    campaign_budget_fen = models.BigIntegerField(_("每个活动的预算上限（分）"), null=True, blank=True)
    month_budget_fen = models.BigIntegerField(_("每月的预算上限（分）"), null=True, blank=True)
    # Empty: everything that regions and stores may do, over every channel.
    acts = ArrayField(models.CharField(max_length=10), verbose_name=_("可以做什么"), default=list, blank=True)
    channels = ArrayField(
        models.CharField(max_length=15), verbose_name=_("可以用的通道"), default=list, blank=True
    )
    least_holdout_bp = models.PositiveSmallIntegerField(default=0)
    most_holdout_bp = models.PositiveSmallIntegerField(default=3_000)
    earliest = models.TimeField(_("最早几点起发"))
    latest = models.TimeField(_("最晚几点停"))
    # The chain's members' days (会员日): days of the month, and weekdays (1 is Monday).
    month_days = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(31)]),
        verbose_name=_("每月几号是会员日"),
        default=list,
        blank=True,
    )
    week_days = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(7)]),
        verbose_name=_("每周几是会员日"),
        default=list,
        blank=True,
    )

    class Meta:
        verbose_name = _("活动规则")
        verbose_name_plural = _("活动规则")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="campaignpolicy_one_row"),
            models.CheckConstraint(
                condition=Q(least_holdout_bp__lte=F("most_holdout_bp")) & Q(most_holdout_bp__lte=5_000),
                name="campaignpolicy_holdout_in_order",
            ),
            models.CheckConstraint(
                condition=Q(earliest__lt=F("latest")), name="campaignpolicy_hours_in_order"
            ),
        ]

    def __str__(self) -> str:
        return str(_("活动规则"))
