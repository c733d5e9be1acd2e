"""往来: what she asked for and what became of it."""

import dataclasses

from assistant.pages.member_360.contract import Viewing
from assistant.pages.requests import RequestRow, build_member_requests


@dataclasses.dataclass(frozen=True, slots=True)
class Dealings:
    requests: tuple[RequestRow, ...]


def build_dealings(viewing: Viewing) -> Dealings:
    """The tab of dealings between her and the shop."""
    return Dealings(requests=build_member_requests(viewing.guide, viewing.member, now=viewing.now))
