"""Segments, who is in them, how they moved, and which members changed since."""

import datetime as dt
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet


class SegmentKind(models.TextChoices):
    """living: its members are kept as its rule says. snapshot: as the rule said at one moment. listed: who was named."""

    LIVING = "living", _("持续更新")
    SNAPSHOT = "snapshot", _("定格")
    LISTED = "listed", _("名单")


class SegmentQuerySet(LockingQuerySet["Segment"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def living(self) -> Self:
        """Those whose members are kept."""
        return self.active().filter(kind=SegmentKind.LIVING)

    def due(self, day: dt.date, at: dt.datetime) -> Self:
        """Those that are worked out whole: asked for, or living ones of an earlier day."""
        asked = Q(due_at__lte=at)
        return self.active().filter(asked | Q(kind=SegmentKind.LIVING) & ~Q(filled_on=day))


class Segment(models.Model):
    """One description of members under a name; what it comes to is in SegmentMember."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("名称"), max_length=40)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    kind = models.CharField(_("类型"), max_length=8, choices=SegmentKind, default=SegmentKind.LIVING)
    # As `read_rule` reads it; empty for a list.
    rule = models.JSONField(_("条件"), default=dict, editable=False)
    # What the rule rests on, through every segment that it uses: facts, and those segments' ids.
    facts = ArrayField(models.CharField(max_length=12), default=list, editable=False)
    uses = ArrayField(models.BigIntegerField(), default=list, editable=False)
    is_active = models.BooleanField(_("启用"), default=True)
    version = models.PositiveIntegerField(_("版本"), default=1, editable=False)
    member_count = models.PositiveIntegerField(_("人数"), default=0, editable=False)
    # From when its members are to be worked out whole; empty: they need not be.
    due_at = models.DateTimeField(null=True, editable=False)
    # Whose writes may have begun before somebody listened: until their transactions are over it stays due.
    quiet_xid = models.BigIntegerField(null=True, editable=False)
    filled_on = models.DateField(null=True, editable=False)
    filled_at = models.DateTimeField(_("最近计算"), null=True, editable=False)
    # Why it could not be worked out the last time (a code).
    fault = models.CharField(max_length=20, blank=True, editable=False)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    changed_at = models.DateTimeField(_("修改时间"), editable=False)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("人群")
        verbose_name_plural = _("人群")
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="segment_one_active_per_name", condition=Q(is_active=True)
            ),
            models.CheckConstraint(
                condition=Q(kind="listed", rule={}) | ~Q(kind="listed") & ~Q(rule={}),
                name="segment_rule_unless_listed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentTag(models.Model):
    """The tag follows the segment: its members and nobody else have it. Written under the segment's lock."""

    tag = models.OneToOneField(
        "members.Tag", on_delete=models.PROTECT, related_name="+", verbose_name=_("标签")
    )
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="+", verbose_name=_("人群"))
    bound_at = models.DateTimeField(_("开始时间"))

    objects = LockingQuerySet["SegmentTag"].as_manager()

    class Meta:
        verbose_name = _("跟随人群的标签")
        verbose_name_plural = _("跟随人群的标签")

    def __str__(self) -> str:
        return f"#{self.pk}"


class SegmentMember(models.Model):
    """She is in the segment now. Keys are not checked by the database: a million rows would be two million look-ups, and
    neither members nor segments are ever deleted."""

    segment = models.ForeignKey(
        Segment,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("人群"),
        db_constraint=False,
        db_index=False,
    )
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("会员"),
        db_constraint=False,
        db_index=False,
    )
    entered_at = models.DateTimeField(_("进入时间"))

    objects = LockingQuerySet["SegmentMember"].as_manager()

    class Meta:
        verbose_name = _("人群会员")
        verbose_name_plural = _("人群会员")
        permissions = [("export_segmentmember", _("导出人群会员"))]
        constraints = [
            models.UniqueConstraint(fields=["segment", "member"], name="segmentmember_once"),
        ]
        indexes = [
            # Used by her page, her merge and her erasure.
            models.Index(fields=["member"], name="segmentmember_of_member"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SegmentMove(models.Model):
    """A member came into a living segment, or left it, after it was first worked out; kept for a while."""

    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, related_name="+", verbose_name=_("人群"), db_constraint=False
    )
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("会员"),
        db_constraint=False,
    )
    is_entry = models.BooleanField(_("进入"))
    at = models.DateTimeField(_("时间"))

    objects = LockingQuerySet["SegmentMove"].as_manager()

    class Meta:
        verbose_name = _("人群进出")
        verbose_name_plural = _("人群进出")

    def __str__(self) -> str:
        return f"#{self.pk}"


class SegmentSize(models.Model):
    """How many were in a segment at the end of a Shanghai day, and how many came and left on it."""

    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, related_name="+", verbose_name=_("人群"), db_index=False
    )
    day = models.DateField(_("日期"))
    member_count = models.PositiveIntegerField(_("人数"))
    entered_count = models.PositiveIntegerField(_("进入"), default=0)
    left_count = models.PositiveIntegerField(_("离开"), default=0)

    class Meta:
        verbose_name = _("人群人数")
        verbose_name_plural = _("人群人数")
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="segmentsize_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.member_count}"


class SegmentWatch(models.Model):
    """Changes of this fact are noted, for a living segment rests on it. Rows stay: who deleted one could not know who has
    begun to rely on it, and a note that nobody needs costs little."""

    fact = models.CharField(max_length=12, primary_key=True)

    class Meta:
        verbose_name = _("人群关注的变化")
        verbose_name_plural = _("人群关注的变化")

    def __str__(self) -> str:
        return self.fact


class SegmentTouch(models.Model):
    """Something of a member changed that a living segment may rest on. Written by triggers, in the transaction of the
    change; whoever deletes one recomputes her in the same transaction."""

    fact = models.CharField(max_length=12)
    member_id = models.BigIntegerField()  # no key: written by every change of a member

    objects = LockingQuerySet["SegmentTouch"].as_manager()

    class Meta:
        verbose_name = _("待重算会员")
        verbose_name_plural = _("待重算会员")

    def __str__(self) -> str:
        return f"#{self.member_id}"
