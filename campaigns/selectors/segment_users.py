"""What still rests on a segment: campaigns that are not over, and journeys that lead somebody or may at any moment."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q

from campaigns.contracts.journeys import Definition
from campaigns.contracts.moments import SEGMENT_IN, SEGMENT_OUT
from campaigns.contracts.segments import Group
from campaigns.models import Campaign, CampaignState, Enrolment, JourneyState, JourneyVersion, Segment
from campaigns.selectors.conditions.segments import asks_for
from campaigns.selectors.journeys import definition_of
from campaigns.selectors.segments import node_of

_OPEN: Final = (
    CampaignState.SUBMITTED,
    CampaignState.APPROVED,
    CampaignState.RUNNING,
    CampaignState.PAUSED,
)


def list_campaigns_using(segment_id: int) -> list[str]:
    """The names of campaigns that wait for approval, for their time, or run, and reach or leave out the segment."""
    rows = Campaign.objects.filter(
        Q(segment_id=segment_id) | Q(excluded_segment_id=segment_id), state__in=_OPEN
    )
    return list(rows.order_by("name", "pk").values_list("name", flat=True))


def list_journeys_using(segment: Segment) -> list[str]:
    """The names of journeys that were published and are not over, of which the newest version, or an older one in which
    somebody is still under way, listens to the segment or asks for it."""
    under_way = Enrolment.objects.live().filter(version=OuterRef("pk"))
    versions = JourneyVersion.objects.filter(
        Q(pk=F("journey__version_id")) | Exists(under_way),
    ).exclude(journey__state=JourneyState.ENDED)
    moments = {f"{sign}{segment.public_id}" for sign in (SEGMENT_IN, SEGMENT_OUT)}
    return sorted(
        {
            version.journey.name
            for version in versions.select_related("journey")
            if moments & set(version.events)
            or any(asks_for(rule, segment.public_id) for rule in _rules_of(definition_of(version.definition)))
        }
    )


def _rules_of(definition: Definition) -> Iterator[Group]:
    """Every rule that somebody is held against on her way."""
    if definition.who is not None:
        yield definition.who
    for ending in (*definition.exits, definition.goal):
        if ending is not None and ending.rule is not None:
            yield ending.rule
    places: list[Mapping[str, Any]] = [definition.trigger.values]
    places += [step.values for step in definition.steps.values()]
    for values in places:
        if "rule" in values:
            yield node_of(values["rule"])
