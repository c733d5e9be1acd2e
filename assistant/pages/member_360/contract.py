"""What a part of the member's page is. An app that knows more of her adds a part of its own to `PARTS`."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils.functional import Promise

from guides.contracts import GuideCard
from members.contracts import MemberCard


@dataclasses.dataclass(frozen=True, slots=True)
class Viewing:
    """Who looks at whom, when. The right to look was checked before (`access_member`)."""

    guide: GuideCard
    member: MemberCard
    now: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One tab of the page: its key in the address, its name, its template and what fills it.

    `build` returns one frozen object and asks the database at most six times, whatever there is to show: with
    what the page itself asks, an answer stays within twelve queries.
    """

    key: str
    title: str | Promise
    template: str
    build: Callable[[Viewing], Any]
