"""Journeys as tests write them, and time that goes on."""

import datetime as dt
from typing import Any

from campaigns.models import Enrolment, EnrolmentStep, Journey
from campaigns.services import journeys
from core import clock
from core.actor import Actor

BOSS = Actor.system("test")
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def points(count: int, *, following: str = "", otherwise: str = "") -> dict[str, Any]:
    """A step that gives points."""
    step: dict[str, Any] = {"kind": "points", "with": {"points": count, "reason": "旅程"}}
    if following:
        step["next"] = following
    if otherwise:
        step["else"] = otherwise
    return step


def wait(days: int, following: str) -> dict[str, Any]:
    return {"kind": "wait", "with": {"amount": days, "unit": "days"}, "next": following}


def wait_event(event: str, days: int, following: str = "", otherwise: str = "") -> dict[str, Any]:
    step: dict[str, Any] = {"kind": "wait_event", "with": {"event": event, "amount": days, "unit": "days"}}
    return step | ({"next": following} if following else {}) | ({"else": otherwise} if otherwise else {})


def definition(steps: dict[str, Any], *, on: str = "api", **other: Any) -> dict[str, Any]:
    """A journey that begins with the first of these steps; `on` a moment, or by the API."""
    trigger = {"on": "api"} if on == "api" else {"on": "moment", "with": {"event": on}}
    return {"trigger": trigger, "first": next(iter(steps)), "steps": steps} | other


def start(draft: dict[str, Any], name: str = "旅程", at: dt.datetime | None = None) -> Journey:
    """A journey that runs."""
    row = journeys.create_journey(name=name, draft=draft, actor=BOSS, at=at)
    journeys.start_journey(journey_id=row.pk, actor=BOSS, at=at)
    row.refresh_from_db()
    return row


def change(row: Journey, draft: dict[str, Any]) -> None:
    """The journey is another one for whoever enters from now on."""
    row.refresh_from_db()
    journeys.save_draft(
        journey_id=row.pk, revision=row.revision, name=row.name, note="", draft=draft, actor=BOSS
    )
    journeys.publish_journey(journey_id=row.pk, actor=BOSS)


def enter(row: Journey, *member_ids: int, key: str = "k", at: dt.datetime | None = None) -> list[Enrolment]:
    """They enter by the API."""
    ids = [
        journeys.enrol_member(public_id=row.public_id, member_id=member_id, key=key, at=at)
        for member_id in member_ids
    ]
    return [Enrolment.objects.get(pk=pk) for pk in ids]


def run(after: dt.timedelta = dt.timedelta()) -> int:
    """Everything that is due so long from now."""
    return journeys.run_journeys(at=clock.now() + after)


def path(row: Enrolment) -> list[tuple[str, str, str]]:
    """Step, way and reason of everything that happened to her."""
    return list(EnrolmentStep.objects.filter(enrolment=row).order_by("pk").values_list("step", "way", "code"))


def state(row: Enrolment) -> tuple[str, str, str]:
    row.refresh_from_db()
    return row.state, row.step, row.code
