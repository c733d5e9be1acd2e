"""How many are where in a journey, and what happened to one member in it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _now

from campaigns.contracts.journeys import (
    WAY_LABELS,
    Definition,
    JourneyNumbers,
    PathLine,
    StepNumbers,
)
from campaigns.models import Enrolment, EnrolmentState, EnrolmentStep, JourneyCount
from campaigns.selectors.journeys.kinds import STEP_KINDS
from core import clock


def step_numbers(version_id: int) -> dict[str, StepNumbers]:
    """Of each step of a version that anybody came to. Who is there is counted now; ways are as they were last folded."""
    here: dict[str, dict[str, int]] = defaultdict(dict)
    live = Enrolment.objects.live().filter(version_id=version_id)
    for step, state, count in live.values_list("step", "state").annotate(n=Count("pk")):
        here[step][state] = count
    ways: dict[str, dict[str, int]] = defaultdict(dict)
    rows = JourneyCount.objects.filter(version_id=version_id).exclude(step="")
    for step, way, count in rows.values_list("step", "way", "count"):
        ways[step][way] = count
    return {
        step: StepNumbers(
            here[step].get(EnrolmentState.WAITING, 0), here[step].get(EnrolmentState.FAILED, 0), ways[step]
        )
        for step in {*here, *ways}
    }


def journey_numbers(
    journey_ids: Collection[int], *, at: dt.datetime | None = None
) -> dict[int, JourneyNumbers]:
    """Of all versions of these journeys together."""
    at = at or clock.now()
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    rows = JourneyCount.objects.filter(version__journey_id__in=list(journey_ids), step="")
    for journey_id, way, count in rows.values_list("version__journey_id", "way").annotate(n=Sum("count")):
        counts[journey_id][way] = count
    live: dict[int, dict[str, int]] = defaultdict(dict)
    due: dict[int, int] = {}
    under_way = Enrolment.objects.live().filter(journey_id__in=list(journey_ids)).order_by()
    counted = under_way.values_list("journey_id", "state").annotate(
        n=Count("pk"), due=Count("pk", filter=Q(due_at__lte=at))
    )
    for journey_id, state, count, due_count in counted:
        live[journey_id][state] = count
        if state == EnrolmentState.WAITING:
            due[journey_id] = due_count
    return {
        journey_id: JourneyNumbers(
            entered_count=counts[journey_id].get("entered", 0),
            live_count=live[journey_id].get(EnrolmentState.WAITING, 0),
            due_count=due.get(journey_id, 0),
            failed_count=live[journey_id].get(EnrolmentState.FAILED, 0),
            done_count=counts[journey_id].get("done", 0),
            achieved_count=counts[journey_id].get("achieved", 0),
            exited_count=counts[journey_id].get("exited", 0),
        )
        for journey_id in journey_ids
    }


def path_of(enrolment_id: int, definition: Definition) -> tuple[PathLine, ...]:
    """What happened to her, step by step."""
    rows = EnrolmentStep.objects.filter(enrolment_id=enrolment_id).order_by("pk")
    return tuple(
        PathLine(
            row.at,
            step_words(definition, row.step),
            way_words(definition, row.step, row.way),
            row.code,
            row.ref,
        )
        for row in rows
    )


def step_words(definition: Definition, name: str) -> str:
    """What a step does, in a short sentence."""
    step = definition.steps.get(name)
    return name if step is None else str(STEP_KINDS[step.kind].says(step.values))


def way_words(definition: Definition, name: str, way: str) -> str:
    """What a way means at this step."""
    step = definition.steps.get(name)
    if step is not None and way in {"next", "else"}:
        kind = STEP_KINDS[step.kind]
        return str((kind.next_label if way == "next" else kind.else_label) or _now("继续"))
    return str(WAY_LABELS.get(way, way))
