"""往来: the journeys that she is on, what she asked for and what became of it."""

import dataclasses

from assistant.pages.journeys import JourneySection, build_journey_section
from assistant.pages.member_360.contract import Viewing
from assistant.pages.requests import RequestRow, build_member_requests


@dataclasses.dataclass(frozen=True, slots=True)
class Dealings:
    journeys: JourneySection
    requests: tuple[RequestRow, ...]


def build_dealings(viewing: Viewing) -> Dealings:
    """The tab of dealings between her and the shop."""
    return Dealings(
        journeys=build_journey_section(viewing.member, now=viewing.now),
        requests=build_member_requests(viewing.guide, viewing.member, now=viewing.now),
    )
