"""Whose a sale is: rules in their order, and the decision for each sale, kept when another replaces it."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from sales.models.documents import Sale

WHOLE_BP = 10_000


class ShareRole(models.TextChoices):
    """Why somebody has a part of a sale."""

    SERVING = "serving", _("接待导购")
    EXCLUSIVE = "exclusive", _("专属导购")
    SHARING = "sharing", _("分享导购")
    STORE = "store", _("门店")


class AttributionRuleQuerySet(LockingQuerySet["AttributionRule"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class AttributionRule(models.Model):
    """Sales that fit are split like this. The first active rule in the order of `position` that fits decides.

    A rule fits when its conditions do (empty: always) and every guide it gives a part to is there. Parts are basis
    points and add up to the whole; fen that do not divide go by largest remainder.
    """

    position = models.PositiveIntegerField(_("顺序"), unique=True)
    name = models.CharField(_("规则名称"), max_length=40)
    region_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用区域"))
    dealer_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用经销商"))
    channels = ArrayField(
        models.CharField(max_length=16), default=list, blank=True, verbose_name=_("适用渠道")
    )
    # Fits an order all of whose goods are of these.
    brands = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("适用品牌"))
    starts_on = models.DateField(_("开始日期"), null=True, blank=True)
    ends_on = models.DateField(_("结束日期（含）"), null=True, blank=True)
    serving_bp = models.PositiveIntegerField(_("接待导购（万分比）"), default=0)
    exclusive_bp = models.PositiveIntegerField(_("专属导购（万分比）"), default=0)
    sharing_bp = models.PositiveIntegerField(_("分享导购（万分比）"), default=0)
    store_bp = models.PositiveIntegerField(_("门店（万分比）"), default=0)
    # A guide whose store is another owner's has her part only by such a rule: dealers own their stores' sales.
    crosses_owners = models.BooleanField(_("允许分给其他经销商的导购"), default=False)
    is_active = models.BooleanField(_("启用"), default=True)

    objects = AttributionRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("归属规则")
        verbose_name_plural = _("归属规则")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    store_bp=WHOLE_BP
                    - models.F("serving_bp")
                    - models.F("exclusive_bp")
                    - models.F("sharing_bp")
                ),
                name="attributionrule_parts_make_the_whole",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True)
                | Q(ends_on__isnull=True)
                | Q(ends_on__gte=models.F("starts_on")),
                name="attributionrule_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AttributionQuerySet(LockingQuerySet["Attribution"]):
    def live(self) -> Self:
        return self.filter(ended_at__isnull=True)


class Attribution(models.Model):
    """One decision on whose a sale is; the live one counts, older ones are kept with who replaced them and why."""

    sale = models.ForeignKey(
        Sale, on_delete=models.PROTECT, related_name="attributions", verbose_name=_("销售单"), db_index=False
    )
    # Empty: no rule fitted, or a person decided.
    rule = models.ForeignKey(
        AttributionRule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("归属规则"),
        db_index=False,
    )
    # What the rule was called, and its place, when it decided.
    rule_words = models.CharField(_("依据"), max_length=60, blank=True)
    made_at = models.DateTimeField(_("归属时间"))
    made_by = models.CharField(_("操作者"), max_length=90, blank=True)
    reason = models.CharField(_("原因"), max_length=120, blank=True)
    request_key = models.CharField(max_length=80, blank=True, editable=False)
    ended_at = models.DateTimeField(_("被替换时间"), null=True, blank=True)

    objects = AttributionQuerySet.as_manager()

    class Meta:
        verbose_name = _("业绩归属")
        verbose_name_plural = _("业绩归属")
        constraints = [
            # Two managers who re-attribute one sale: the second sees what the first decided.
            models.UniqueConstraint(
                fields=["sale"], name="attribution_one_live_per_sale", condition=Q(ended_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["sale", "request_key"],
                name="attribution_once_per_request",
                condition=~Q(request_key=""),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class AttributionShare(models.Model):
    """One part of a sale: of a guide in the store she worked in then, or of a store alone."""

    attribution = models.ForeignKey(
        Attribution, on_delete=models.PROTECT, related_name="shares", verbose_name=_("业绩归属")
    )
    place = models.PositiveSmallIntegerField()  # the order in which remainders are dealt
    role = models.CharField(_("身份"), max_length=9, choices=ShareRole)
    guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("导购"),
        db_index=False,
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"), db_index=False
    )
    share_bp = models.PositiveIntegerField(_("占比（万分比）"))

    class Meta:
        verbose_name = _("归属份额")
        verbose_name_plural = _("归属份额")
        constraints = [
            models.UniqueConstraint(fields=["attribution", "place"], name="attributionshare_place_once"),
            models.CheckConstraint(
                condition=Q(share_bp__range=(1, WHOLE_BP)), name="attributionshare_part_of_the_whole"
            ),
            models.CheckConstraint(
                condition=Q(role="store", guide__isnull=True) | ~Q(role="store") & Q(guide__isnull=False),
                name="attributionshare_guide_but_for_the_store",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.attribution_id}/{self.place}"
