"""What time does to service requests: overdue ones are reported to the manager, done ones close."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from guides.models import (
    Guide,
    GuideNotice,
    GuideRole,
    NoticeKind,
    RequestAct,
    RequestState,
    ServiceRequest,
    ServiceRequestStep,
)
from guides.services.notices import message_guide
from guides.services.request_steps import lock_request, take_step

_BATCH: Final = 500


def mark_overdue_requests(*, at: dt.datetime | None = None) -> int:
    """Requests whose deadline is over are marked, and the managers of their stores told; how many.

    Once for each deadline: one that is accepted late has a new deadline, to do it. A row that somebody is
    working on at this moment is left to the next run.
    """
    at = at or clock.now()
    with transaction.atomic():
        rows = ServiceRequest.objects.overdue(at).filter(overdue_since__isnull=True).claim(_BATCH)
        if not rows:
            return 0
        ids = [row.pk for row in rows]
        ServiceRequest.objects.filter(pk__in=ids).update(overdue_since=F("due_at"))
        for row in rows:
            audit.record(
                action="guides.request_overdue",
                subject=row,
                actor=Actor.system("mark_overdue_requests"),
                at=at,
                state=row.state,
                guide_id=row.guide_id,
                store_id=row.store_id,
            )
        _tell_managers(rows, at)
        return len(rows)


def close_done_requests(*, at: dt.datetime | None = None) -> int:
    """Done requests that their members did not confirm within the kind's days are closed; how many."""
    at = at or clock.now()
    done = ServiceRequest.objects.filter(state=RequestState.DONE, due_at__lte=at)
    closed = 0
    for request_id in list(done.order_by("due_at").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            request = lock_request(request_id=request_id)
            # She may have confirmed it between the look and the lock.
            if request.state == RequestState.DONE:
                take_step(request, act=RequestAct.CLOSED, actor=Actor.system("close_done_requests"), at=at)
                closed += 1
    return closed


def _tell_managers(rows: Sequence[ServiceRequest], at: dt.datetime) -> None:
    steps: dict[int, int] = dict(
        ServiceRequestStep.objects.filter(request__in=rows).values_list("request_id").annotate(last=Max("pk"))
    )
    managers = Guide.objects.active().filter(
        role=GuideRole.MANAGER, store_id__in={row.store_id for row in rows}
    )
    by_store: dict[int, list[ServiceRequest]] = defaultdict(list)
    for row in rows:
        by_store[row.store_id].append(row)
    for manager in managers.order_by("pk"):
        late = by_store[manager.store_id]
        GuideNotice.objects.bulk_create(
            [
                GuideNotice(
                    guide=manager,
                    kind=NoticeKind.REQUEST_OVERDUE,
                    member_id=row.member_id,
                    step_id=steps[row.pk],
                    created_at=at,
                )
                for row in late
            ],
            ignore_conflicts=True,
        )
        message_guide(
            guide=manager,
            text=_("有 %(count)d 个服务请求超时还没有处理，请到导购助手看看。") % {"count": len(late)},
            reason_key=f"requests-overdue:{manager.pk}:{max(steps[row.pk] for row in late)}",
            happened_at=at,
            at=at,
        )
