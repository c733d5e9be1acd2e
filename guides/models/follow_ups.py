"""What a guide is asked to do for one of her members by a certain day."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet
from guides.models.people import Guide


class FollowUpState(models.TextChoices):
    """open → done, and back when she takes it back; open → dropped when nobody needs it any more."""

    OPEN = "open", _("待跟进")
    DONE = "done", _("已完成")
    DROPPED = "dropped", _("已取消")


class FollowUpResult(models.TextChoices):
    """What came of it."""

    REACHED = "reached", _("已联系")
    COMING = "coming", _("约好到店")
    BOUGHT = "bought", _("已购买")
    NO_ANSWER = "no_answer", _("没联系上")
    DECLINED = "declined", _("会员不需要")


class FollowUpQuerySet(LockingQuerySet["FollowUp"]):
    def open(self) -> Self:
        return self.filter(state=FollowUpState.OPEN)

    def overdue(self, today: dt.date) -> Self:
        """Open ones whose day is over."""
        return self.open().filter(due_on__lt=today)


class FollowUpRound(models.Model):
    """Staff gave follow-ups for chosen members to their guides, once for the form they sent."""

    request_key = models.CharField(max_length=36, unique=True, editable=False)
    title = models.CharField(_("缘由"), max_length=60)
    script = models.TextField(_("话术"), max_length=1000)
    due_on = models.DateField(_("截止日期"))
    chosen_count = models.PositiveIntegerField(_("选中会员"))
    given_count = models.PositiveIntegerField(_("交给导购"))
    given_by = models.CharField(_("派发人"), max_length=90)
    given_at = models.DateTimeField(_("派发时间"))

    objects = LockingQuerySet["FollowUpRound"].as_manager()

    class Meta:
        verbose_name = _("任务派发")
        verbose_name_plural = _("任务派发")

    def __str__(self) -> str:
        return self.title


class FollowUp(models.Model):
    """One thing to do for one member: why, what to say, by when. `guide` is her exclusive guide as long as it is open, and
    empty while she has none; done ones stay with whoever did them."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    guide = models.ForeignKey(
        Guide,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("导购"),
        db_index=False,
    )
    topic = models.CharField(_("事项"), max_length=20)
    title = models.CharField(_("缘由"), max_length=60)
    script = SealedTextField(_("话术"), blank=True)  # what to say; up to 1,000 characters
    due_on = models.DateField(_("截止日期"))
    state = models.CharField(_("状态"), max_length=8, choices=FollowUpState, default=FollowUpState.OPEN)
    result = models.CharField(_("结果"), max_length=10, choices=FollowUpResult, blank=True)
    # Which of the staff's rounds it came of, where one did.
    round = models.ForeignKey(
        FollowUpRound,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("任务派发"),
    )
    note = SealedTextField(_("备注"), blank=True)  # the guide's, up to 200 characters
    source_key = models.CharField(max_length=100, unique=True)  # one follow-up for a reason
    created_at = models.DateTimeField(_("创建时间"))
    done_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    # When it was last done, or taken back: what a ledger may have missed.
    changed_at = models.DateTimeField(null=True, editable=False)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("跟进任务")
        verbose_name_plural = _("跟进任务")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="done", done_at__isnull=False, guide__isnull=False)
                & ~models.Q(result="")
                | ~models.Q(state="done") & models.Q(done_at__isnull=True, result=""),
                name="followup_done_is_whole",
            ),
        ]
        indexes = [
            # Used by her list and the count on her start page; also by the job that looks for misplaced ones.
            models.Index(
                fields=["guide", "due_on", "id"], name="followup_open", condition=models.Q(state="open")
            ),
            # Used by what she did last, and by the ledger's catch-up.
            models.Index(
                fields=["guide", "-done_at"], name="followup_done", condition=models.Q(state="done")
            ),
            models.Index(
                fields=["changed_at"],
                name="followup_newest_changes",
                condition=models.Q(changed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} #{self.pk}"
