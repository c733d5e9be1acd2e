"""Merges of two rows into one person, how they are undone, and pairs that are two people after all."""

import datetime as dt
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet
from members.models.people import Member

# So long a merge may be undone. Each row keeps the end of its own span: another number is for later merges.
UNDO_DAYS: Final = 30


class MergeHow(models.TextChoices):
    """What told that two rows are one person."""

    UNIONID = "unionid", _("unionid 相同")
    PHONE = "phone", _("手机号相同")
    DESK = "desk", _("后台合并")
    IMPORT = "import", _("导入时匹配")


class MemberMergeQuerySet(LockingQuerySet["MemberMerge"]):
    def live(self) -> Self:
        """Those that nobody undid."""
        return self.filter(undone_at__isnull=True)

    def of(self, member_id: int) -> Self:
        """Those in which she is one of the two."""
        return self.filter(Q(emptier_id=member_id) | Q(survivor_id=member_id))


class MemberMerge(models.Model):
    """Two rows turned out to be one person: who lives on, what told so, and all that undoing it needs."""

    emptier = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("并入前的会员")
    )
    survivor = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("保留的会员")
    )
    how = models.CharField(_("依据"), max_length=10, choices=MergeHow)
    reason = models.CharField(_("说明"), max_length=120, blank=True)
    made_at = models.DateTimeField(_("合并时间"))
    made_by = models.CharField(_("操作者"), max_length=90, blank=True)
    undo_until = models.DateTimeField(_("可撤销至"))
    # JSON: both rows' columns before, what was written to the survivor, and by holding label what each moved.
    # Empty once one of the two was erased: then nothing is left that could be restored.
    snapshot = SealedTextField(editable=False, blank=True)
    undone_at = models.DateTimeField(_("撤销时间"), null=True, blank=True)
    undone_by = models.CharField(_("撤销操作者"), max_length=90, blank=True)
    undo_reason = models.CharField(_("撤销原因"), max_length=120, blank=True)

    objects = MemberMergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员合并")
        verbose_name_plural = _("会员合并")
        permissions = [("merge_member", _("可以合并会员、撤销合并"))]
        constraints = [
            models.UniqueConstraint(
                fields=["emptier"],
                name="membermerge_one_live_per_emptier",
                condition=Q(undone_at__isnull=True),
            ),
            models.CheckConstraint(condition=~Q(emptier=F("survivor")), name="membermerge_two_rows"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True)
                | Q(undone_at__gte=F("made_at"), undone_at__lt=F("undo_until")),
                name="membermerge_undone_in_time",
            ),
        ]
        indexes = [
            # Used by the desk's list and by the job that looks for latecomers.
            models.Index(fields=["-made_at", "-id"], name="membermerge_by_made"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def may_be_undone(self, at: dt.datetime) -> bool:
        """Whether its time allows it; what happened since is asked under the locks."""
        return self.undone_at is None and bool(self.snapshot) and at < self.undo_until


class PassedPhone(models.Model):
    """Two WeChat accounts proved one number, long after each other: it went to the later one, the former has none.

    Most likely the operator gave the number to somebody else. If they are one person after all, the desk merges
    them; the number itself is not kept here.
    """

    former = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("原来的会员")
    )
    holder = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("现在的会员")
    )
    passed_at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("换了主人的手机号")
        verbose_name_plural = _("换了主人的手机号")
        constraints = [
            models.CheckConstraint(condition=~Q(former=F("holder")), name="passedphone_two_rows"),
        ]
        indexes = [
            models.Index(fields=["-passed_at", "-id"], name="passedphone_by_passed"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class KnownApart(models.Model):
    """Somebody looked at these two rows and said: two people. They are not proposed again."""

    first = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("第一位会员")
    )
    second = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("第二位会员")
    )
    said_at = models.DateTimeField(_("确认时间"))
    said_by = models.CharField(_("操作者"), max_length=90, blank=True)

    class Meta:
        verbose_name = _("已确认不是同一人")
        verbose_name_plural = _("已确认不是同一人")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="knownapart_once_per_pair"),
            # One way round only, so that a pair is one row.
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="knownapart_in_order"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
