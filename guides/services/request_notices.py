"""Who is told of a step of a service request: the member over what reaches her, guides by a notice; each once."""

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from guides.contracts import MemberText
from guides.models import (
    UNFINISHED,
    Guide,
    GuideNotice,
    GuideState,
    NoticeKind,
    RequestAct,
    ServiceRequest,
    ServiceRequestStep,
)
from guides.services.member_messages import minute_words, tell_members
from guides.services.notices import NEWS, message_guide
from members import selectors as member_selectors

_LOOK_BACK: Final = dt.timedelta(days=1)
# Younger steps are being told by their own event just now.
_GRACE: Final = dt.timedelta(seconds=10)
_BATCH: Final = 500
_WAITS: Final = (RequestAct.OPENED, RequestAct.HANDED_OVER, RequestAct.FOLLOWED)

_SENTENCES: Final[dict[str, str | Promise]] = {
    RequestAct.OPENED: _("已收到您的“%(kind)s”请求，接单后会告诉您。"),
    RequestAct.ACCEPTED: _("%(guide)s（%(store)s）已接受您的“%(kind)s”请求。"),
    RequestAct.SCHEDULED: _("您的“%(kind)s”约好了时间：%(time)s，由%(guide)s（%(store)s）为您服务。"),
    RequestAct.STARTED: _("%(guide)s正在处理您的“%(kind)s”请求。"),
    RequestAct.SAID: _("关于您的“%(kind)s”请求："),
    RequestAct.FINISHED: _("您的“%(kind)s”请求已完成，可在小程序里确认。"),
    RequestAct.CLOSED: _("您的“%(kind)s”请求已结束，有需要随时再找我们。"),
    RequestAct.CANCELLED: _("您的“%(kind)s”请求已取消。"),
    RequestAct.REFUSED: _("很抱歉，您的“%(kind)s”请求未能受理。"),
    RequestAct.STORE_CHANGED: _("您的“%(kind)s”请求改由%(guide)s在%(store)s为您处理。"),
}
_TO_GUIDE: Final = _("您的“%(kind)s”请求转给了%(guide)s（%(store)s），接单后会告诉您。")
_TO_STORE: Final = _("您的“%(kind)s”请求转给了%(store)s，接单后会告诉您。")


def tell_of_request_step(*, step_id: int, at: dt.datetime | None = None) -> bool:
    """The member is told, the guides concerned have a notice.

    Once: the step's row is locked and marked. False when it was told before. What the member did herself, and
    what happened longer than ten minutes ago, is no news to her; she finds every step in her mini-program.
    """
    at = at or clock.now()
    with transaction.atomic():
        rows = ServiceRequestStep.objects.filter(pk=step_id, told_at__isnull=True).lock_rows()
        if not rows:
            return False
        step = rows[0]
        step.told_at = at
        step.save(update_fields=["told_at"])
        request = ServiceRequest.objects.select_related("kind").get(pk=step.request_id)
        if not step.is_own and at - step.at <= NEWS:
            _tell_member(step, request, at)
        for guide in _newly_concerned(step, request):
            _tell_guide(guide, NoticeKind.REQUEST_CAME, step, request, at)
        for guide in _no_more_concerned(step):
            _tell_guide(guide, NoticeKind.REQUEST_GONE, step, request, at)
        return True


def tell_missed_steps(*, at: dt.datetime | None = None) -> int:
    """Steps of the last day that nobody was told of are told; how many."""
    at = at or clock.now()
    untold = ServiceRequestStep.objects.filter(
        told_at__isnull=True, at__gt=at - _LOOK_BACK, at__lte=at - _GRACE
    )
    ids = list(untold.order_by("pk").values_list("pk", flat=True)[:_BATCH])
    return sum(tell_of_request_step(step_id=step_id, at=at) for step_id in ids)


def _tell_member(step: ServiceRequestStep, request: ServiceRequest, at: dt.datetime) -> None:
    time = step.scheduled_at or step.at
    news = MemberText(
        member_id=request.member_id,
        topic="request_step",
        reason_key=f"request-step:{step.pk}",
        title=_now("“%(kind)s”有新进展") % {"kind": request.kind.name},
        text="\n".join(part for part in (_sentence(step, request), step.words) if part),
        values={
            "kind": request.kind.name,
            "step": str(step.get_act_display()),
            "guide": step.guide.name if step.guide is not None else "",
            "store": step.store.name,
            "time": minute_words(at=time),
        },
    )
    tell_members(told=[news], at=at)


def _sentence(step: ServiceRequestStep, request: ServiceRequest) -> str:
    sentence = _SENTENCES.get(step.act) or (_TO_GUIDE if step.guide_id is not None else _TO_STORE)
    time = step.scheduled_at.astimezone(clock.SHANGHAI) if step.scheduled_at is not None else None
    return str(sentence) % {
        "kind": request.kind.name,
        "guide": step.guide.name if step.guide is not None else "",
        "store": step.store.name,
        "time": _now("%(month)d月%(day)d日 %(time)s")
        % {"month": time.month, "day": time.day, "time": f"{time:%H:%M}"}
        if time is not None
        else "",
    }


def _newly_concerned(step: ServiceRequestStep, request: ServiceRequest) -> list[Guide]:
    """Who should accept it now: its guide, or everybody of the store; nobody when it has moved on since."""
    moved_on = request.guide_id != step.guide_id or request.state not in UNFINISHED
    if step.act not in _WAITS or moved_on:
        return []
    active = Guide.objects.active()
    if step.guide_id is not None:
        return list(active.filter(pk=step.guide_id))
    return list(active.filter(store=step.store_id).exclude(pk=step.from_guide_id or 0).order_by("pk"))


def _no_more_concerned(step: ServiceRequestStep) -> list[Guide]:
    """From whom it was taken: by a colleague, a manager, the binding, or the member who wants it no more."""
    if step.act == RequestAct.CANCELLED:
        lost_id = step.guide_id
    else:
        lost_id = step.from_guide_id if step.from_guide_id != step.guide_id else None
    return list(Guide.objects.filter(pk=lost_id, state=GuideState.ACTIVE)) if lost_id is not None else []


def _tell_guide(
    guide: Guide, kind: NoticeKind, step: ServiceRequestStep, request: ServiceRequest, at: dt.datetime
) -> None:
    _notice, created = GuideNotice.objects.get_or_create(
        step=step, kind=kind, guide=guide, defaults={"member_id": request.member_id, "created_at": at}
    )
    if not created:
        return
    texts = {
        NoticeKind.REQUEST_CAME: _now("%(member)s 提交了“%(kind)s”，请到导购助手接单。"),
        NoticeKind.REQUEST_GONE: _now("%(member)s 的“%(kind)s”不用您处理了。"),
    }
    name = member_selectors.get_member_card(request.member_id).display_name
    message_guide(
        guide=guide,
        text=texts[kind] % {"member": name, "kind": request.kind.name},
        reason_key=f"request:{step.pk}:{guide.pk}:{kind}",
        happened_at=step.at,
        at=at,
    )
