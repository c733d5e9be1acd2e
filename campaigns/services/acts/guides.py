"""The act that gives a member's guide something to do."""

import datetime as dt
from collections.abc import Sequence

from campaigns.contracts.acts import Act, ActOutcome
from campaigns.errors import ActNoConsent, ActNoGuide
from campaigns.services.acts.asked import Asked, done, refused
from campaigns.services.acts.words import filler
from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.contracts import FollowUpOrder
from members import selectors as member_selectors


def follow_up(*, act: Act, asked: Sequence[Asked], actor: Actor, at: dt.datetime) -> list[ActOutcome]:
    """Her exclusive guide has a follow-up. Who took back her consent is left in peace."""
    silent = member_selectors.withdrawn_among({one.member_id for one in asked})
    title, script = act.values["title"], act.values["script"]
    fill = filler(texts=[title, script], asked=asked, at=at)
    due_on = clock.business_day(at) + dt.timedelta(days=act.values["days"])
    given = guide_services.assign_follow_ups(
        orders=[
            FollowUpOrder(
                member_id=one.member_id,
                topic="task",
                title=fill(title, one),
                script=fill(script, one)[:1_000],
                due_on=due_on,
                source_key=f"act:{one.key}",
            )
            for one in asked
            if one.member_id not in silent
        ],
        at=at,
    )
    return [
        refused(ActNoConsent.code)
        if one.member_id in silent
        else done(f"follow_up:{one.key}")
        if f"act:{one.key}" in given
        else refused(ActNoGuide.code)
        for one in asked
    ]
