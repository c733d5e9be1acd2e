"""What members ask their guide or a store to do, step by step."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Final, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet
from guides.models.organisation import Store
from guides.models.people import Guide


class RequestState(models.TextChoices):
    """open → accepted → in_progress → done → closed; cancelled and refused end it early.

    In progress may be left out. Handing on and following the member lead back to open. The whole table is
    TRANSITIONS.
    """

    OPEN = "open", _("待接单")
    ACCEPTED = "accepted", _("已接单")
    IN_PROGRESS = "in_progress", _("进行中")
    DONE = "done", _("已完成")
    CLOSED = "closed", _("已结束")
    CANCELLED = "cancelled", _("会员已取消")
    REFUSED = "refused", _("未能受理")


class RequestAct(models.TextChoices):
    """What somebody did to a request: one step of its history."""

    OPENED = "opened", _("已提交")
    ACCEPTED = "accepted", _("已接单")
    SCHEDULED = "scheduled", _("已约好时间")
    STARTED = "started", _("开始处理")
    SAID = "said", _("导购留言")
    HANDED_OVER = "handed_over", _("转交他人")
    FOLLOWED = "followed", _("随专属导购变动转交")
    STORE_CHANGED = "store_changed", _("服务门店变动")
    FINISHED = "finished", _("已完成")
    CLOSED = "closed", _("已结束")
    CANCELLED = "cancelled", _("会员取消")
    REFUSED = "refused", _("未能受理")


UNFINISHED: Final = (RequestState.OPEN, RequestState.ACCEPTED, RequestState.IN_PROGRESS)
RUNNING: Final = (*UNFINISHED, RequestState.DONE)  # something is still to happen, by `due_at`
_HELD: Final = (RequestState.ACCEPTED, RequestState.IN_PROGRESS, RequestState.DONE)


@dataclasses.dataclass(frozen=True, slots=True)
class Transition:
    """From which states an act is possible, and to which it leads; None leaves the state as it is."""

    sources: tuple[RequestState, ...]
    target: RequestState | None


# Every change there is. Opening is the one act without a row before it.
TRANSITIONS: Final[Mapping[RequestAct, Transition]] = {
    # By a guide of the store, or the store's manager.
    RequestAct.ACCEPTED: Transition((RequestState.OPEN,), RequestState.ACCEPTED),
    RequestAct.SCHEDULED: Transition((RequestState.ACCEPTED, RequestState.IN_PROGRESS), None),
    RequestAct.STARTED: Transition((RequestState.ACCEPTED,), RequestState.IN_PROGRESS),
    RequestAct.SAID: Transition(RUNNING, None),
    RequestAct.FINISHED: Transition((RequestState.ACCEPTED, RequestState.IN_PROGRESS), RequestState.DONE),
    RequestAct.REFUSED: Transition(UNFINISHED, RequestState.REFUSED),
    # By them or by staff.
    RequestAct.HANDED_OVER: Transition(UNFINISHED, RequestState.OPEN),
    # By the member; closing also by itself after the kind's days.
    RequestAct.CANCELLED: Transition(UNFINISHED, RequestState.CANCELLED),
    RequestAct.CLOSED: Transition((RequestState.DONE,), RequestState.CLOSED),
    # By itself, when the member's guide changes, leaves or moves.
    RequestAct.FOLLOWED: Transition(UNFINISHED, RequestState.OPEN),
    RequestAct.STORE_CHANGED: Transition(UNFINISHED, None),
}


class RequestKind(models.Model):
    """One thing members may ask for, and how long people may take over it.

    The hours count while the store is open. A kind that is switched off is offered no more; its requests go on.
    """

    code = models.CharField(_("编号"), max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("名称"), max_length=20, unique=True)
    wants_time = models.BooleanField(_("需要约时间"), default=False)
    accept_within_hours = models.PositiveSmallIntegerField(
        _("几小时内接单"), default=4, help_text=_("只算门店营业的时间，超过就提醒店长")
    )
    finish_within_hours = models.PositiveSmallIntegerField(
        _("几小时内完成"), default=24, help_text=_("从接单或约好的时间起，只算门店营业的时间")
    )
    close_after_days = models.PositiveSmallIntegerField(
        _("完成后几天自动结束"), default=3, help_text=_("会员没有确认时，过这么多天自动结束")
    )
    is_active = models.BooleanField(_("启用"), default=True)
    order = models.PositiveSmallIntegerField(_("排序"), default=0)

    class Meta:
        verbose_name = _("服务类型")
        verbose_name_plural = _("服务类型")
        ordering = ("order", "pk")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    accept_within_hours__range=(1, 720),
                    finish_within_hours__range=(1, 2160),
                    close_after_days__range=(1, 90),
                ),
                name="requestkind_terms_are_humane",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceRequestQuerySet(LockingQuerySet["ServiceRequest"]):
    def unfinished(self) -> Self:
        """Those on which a guide or a store still has to work."""
        # Unfinished ones have a deadline; saying so lets the planner use the small index of those that do.
        return self.filter(state__in=UNFINISHED, due_at__isnull=False)

    def overdue(self, at: dt.datetime) -> Self:
        """Those not accepted, or not done, in time."""
        return self.unfinished().filter(due_at__lte=at)


class ServiceRequest(models.Model):
    """One member asks for one service. `guide` is who has it, empty while any guide of `store` may accept it.

    `follows_binding`: it goes where the member's exclusive guide is. False once people decided otherwise: the
    member chose another store, a colleague accepted it, somebody handed it on.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    kind = models.ForeignKey(
        RequestKind, on_delete=models.PROTECT, related_name="+", verbose_name=_("服务类型")
    )
    words = SealedTextField(_("会员说"), blank=True)  # may hold an address: sealed, 300 characters
    wanted_at = models.DateTimeField(_("希望时间"), null=True, blank=True)
    scheduled_at = models.DateTimeField(_("约定时间"), null=True, blank=True)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"))
    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("导购")
    )
    follows_binding = models.BooleanField(default=True, editable=False)
    state = models.CharField(_("状态"), max_length=12, choices=RequestState, default=RequestState.OPEN)
    opened_at = models.DateTimeField(_("提交时间"))
    state_at = models.DateTimeField(_("状态时间"))
    # Until when it should be accepted or done; of a done one, when it closes by itself.
    due_at = models.DateTimeField(_("期限"), null=True, blank=True)
    overdue_since = models.DateTimeField(_("超时起"), null=True, blank=True)  # the manager has been told
    request_key = models.CharField(max_length=80, null=True)  # the member's request: sent twice, opened once

    objects = ServiceRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("服务请求")
        verbose_name_plural = _("服务请求")
        constraints = [
            models.UniqueConstraint(fields=["member", "request_key"], name="servicerequest_once_per_key"),
            models.CheckConstraint(
                condition=~models.Q(state__in=_HELD) | models.Q(guide__isnull=False),
                name="servicerequest_held_by_a_guide",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RUNNING, due_at__isnull=False)
                | (~models.Q(state__in=RUNNING) & models.Q(due_at__isnull=True)),
                name="servicerequest_due_while_running",
            ),
            models.CheckConstraint(
                condition=models.Q(overdue_since__isnull=True) | models.Q(state__in=UNFINISHED),
                name="servicerequest_overdue_while_unfinished",
            ),
        ]
        indexes = [
            # Used by the member's own list, and when she is merged.
            models.Index(fields=["member", "-opened_at", "-id"], name="servicerequest_of_member"),
            # Used by the assistant's lists: a guide's, and a store's for its manager and its queue.
            models.Index(fields=["guide", "state", "due_at"], name="servicerequest_of_guide"),
            models.Index(fields=["store", "state", "due_at"], name="servicerequest_of_store"),
            # Used by the jobs: mark_overdue_requests, close_done_requests, mend_requests.
            models.Index(
                fields=["due_at"], name="servicerequest_due_queue", condition=models.Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ServiceRequestStep(models.Model):
    """One thing that happened to a request; never changed, but for being told and read."""

    request = models.ForeignKey(
        ServiceRequest, on_delete=models.PROTECT, related_name="steps", verbose_name=_("服务请求")
    )
    act = models.CharField(_("动作"), max_length=16, choices=RequestAct)
    from_state = models.CharField(_("之前"), max_length=12, choices=RequestState, blank=True)
    to_state = models.CharField(_("之后"), max_length=12, choices=RequestState)
    # Who has it after this step, and from whom it was taken.
    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("导购")
    )
    from_guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("原导购")
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"))
    words = SealedTextField(_("对会员说"), blank=True)
    note = SealedTextField(_("内部说明"), blank=True)  # for colleagues; the member never sees it
    scheduled_at = models.DateTimeField(_("约定时间"), null=True)
    at = models.DateTimeField(_("时间"))
    done_by = models.CharField(_("操作者"), max_length=90, blank=True)
    is_own = models.BooleanField(default=False)  # the member did it herself
    request_key = models.CharField(max_length=80, null=True)  # a second tap is no second message
    told_at = models.DateTimeField(_("通知时间"), null=True)  # member and guides have been told
    read_at = models.DateTimeField(_("会员已读时间"), null=True)

    objects = LockingQuerySet["ServiceRequestStep"].as_manager()

    class Meta:
        verbose_name = _("服务请求进展")
        verbose_name_plural = _("服务请求进展")
        constraints = [
            models.UniqueConstraint(
                fields=["request", "request_key"], name="servicerequeststep_once_per_key"
            ),
        ]
        indexes = [
            # Used by mend_requests, every half minute.
            models.Index(
                fields=["at"], name="servicerequeststep_untold", condition=models.Q(told_at__isnull=True)
            ),
            # Used by the unread mark of the member's list.
            models.Index(
                fields=["request"],
                name="servicerequeststep_unread",
                condition=models.Q(read_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
