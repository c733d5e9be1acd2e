"""Staff give guides something to do for chosen members: a reach of the topic "task" for each, over her guide."""

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from guides.contracts import AssignmentPlan, MemberText
from guides.errors import FollowUpRoundTooLarge, FollowUpRoundUnfit, RequestKeyReused
from guides.models import FollowUpRound
from guides.selectors.bound_guides import list_bound_guides
from guides.services.history import doer
from guides.services.member_messages import tell_members
from guides.services.round_keys import reason_key_of
from guides.services.words import clean_text
from members import selectors as member_selectors

MOST_MEMBERS: Final = 20_000
LONGEST_DAYS: Final = 30
TITLE_LENGTH: Final = 60
SCRIPT_LENGTH: Final = 1_000


def plan_follow_ups(*, members: QuerySet[Any, Any]) -> AssignmentPlan:
    """What giving a follow-up for these members (an id queryset) to their guides would do now. Refuses
    (FollowUpRoundTooLarge) more than can be given at once."""
    return _choose(_living(members))[0]


def give_follow_ups(
    *,
    members: QuerySet[Any, Any],
    title: str,
    script: str,
    due_on: dt.date,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> FollowUpRound:
    """The guides of these members have a follow-up for each, with these words, due on that day; once for the key.

    It goes through the reach layer: caps, quiet hours and withdrawn consents hold as for every other message. Who has no
    guide at work gets none. Refuses (FollowUpRoundUnfit) a missing or long title or script and a day that is over or more than
    30 days away, more members than can be given at once, and a key that meant something else.
    """
    at = at or clock.now()
    title, script = " ".join(clean_text(title).split()), clean_text(script)
    _check(title, script, due_on, clock.business_day(at))
    try:
        with transaction.atomic():
            return _give(members, title, script, due_on, request_key, actor, at)
    except IntegrityError as error:
        if violated(error) != "guides_followupround_request_key_key":
            raise
        return _same(FollowUpRound.objects.get(request_key=request_key), title, script, due_on)


def _give(
    members: QuerySet[Any, Any],
    title: str,
    script: str,
    due_on: dt.date,
    request_key: str,
    actor: Actor,
    at: dt.datetime,
) -> FollowUpRound:
    first = FollowUpRound.objects.filter(request_key=request_key).first()
    if first is not None:
        return _same(first, title, script, due_on)
    plan, chosen = _choose(_living(members))
    row = FollowUpRound.objects.create(
        request_key=request_key,
        title=title,
        script=script,
        due_on=due_on,
        chosen_count=plan.chosen_count,
        given_count=plan.given_count,
        given_by=doer(actor),
        given_at=at,
    )
    told = [
        MemberText(
            member_id=member_id,
            topic="task",
            reason_key=reason_key_of(round_id=row.pk, member_id=member_id),
            title=title,
            text=script,
            due_on=due_on,
        )
        for member_id in chosen
    ]
    tell_members(told=told, at=at)
    audit.record(
        action="guides.follow_ups_given",
        subject=row,
        actor=actor,
        at=at,
        chosen_count=plan.chosen_count,
        given_count=plan.given_count,
    )
    return row


def _same(row: FollowUpRound, title: str, script: str, due_on: dt.date) -> FollowUpRound:
    if (row.title, row.script, row.due_on) != (title, script, due_on):
        raise RequestKeyReused
    return row


def _check(title: str, script: str, due_on: dt.date, today: dt.date) -> None:
    if not 1 <= len(title) <= TITLE_LENGTH:
        raise FollowUpRoundUnfit(field="title")
    if not 1 <= len(script) <= SCRIPT_LENGTH:
        raise FollowUpRoundUnfit(field="script")
    if not today <= due_on <= today + dt.timedelta(days=LONGEST_DAYS):
        raise FollowUpRoundUnfit(field="due_on")


def _living(members: QuerySet[Any, Any]) -> list[int]:
    found = member_selectors.living_member_ids().filter(pk__in=members).order_by("pk")[: MOST_MEMBERS + 1]
    ids = list(found)
    if len(ids) > MOST_MEMBERS:
        raise FollowUpRoundTooLarge
    return ids


def _choose(ids: Collection[int]) -> tuple[AssignmentPlan, list[int]]:
    """Who of these has a guide at work and may be turned to."""
    guides = list_bound_guides(ids)
    withdrawn = member_selectors.withdrawn_among(guides)
    chosen = sorted(guides.keys() - withdrawn)
    plan = AssignmentPlan(
        chosen_count=len(ids),
        given_count=len(chosen),
        guide_count=len({guides[member_id] for member_id in chosen}),
        unguided_count=len(ids) - len(guides),
        withdrawn_count=len(withdrawn),
    )
    return plan, chosen
