"""Journeys as data: what begins one, its steps, what ends it; and what is told about it."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.acts import Act
from campaigns.contracts.segments import Group

Text = str | Promise
WayName = Literal["next", "else"]
ReEntryName = Literal["never", "after_days", "always"]
MOST_STEPS: Final = 60
MOST_EXITS: Final = 10
MOST_ROUNDS: Final = 100
DEFAULT_ROUNDS: Final = 10
MOST_BYTES: Final = 128 * 1024
RE_ENTRIES: Final[Mapping[str, Text]] = {
    "never": _("每人只进一次"),
    "after_days": _("隔一段时间可以再进"),
    "always": _("走完就可以再进"),
}
# What is counted of a step besides its two ways.
WAY_LABELS: Final[Mapping[str, Text]] = {
    "entered": _("进入"),
    "next": _("继续"),
    "else": _("另一条路"),
    "refused": _("没做成"),
    "done": _("走完"),
    "achieved": _("达成目标"),
    "exited": _("退出"),
    "failed": _("出错停住"),
}
# Why a guide takes a member of hers out.
EXIT_REASONS: Final[Mapping[str, Text]] = {
    "asked": _("她说不想再收到"),
    "served": _("我已经当面处理好了"),
    "unfit": _("不适合她"),
    "other": _("其他"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Trigger:
    """What begins it: a kind of trigger with its values."""

    kind: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Ending:
    """What ends it early: a moment, or a rule that she meets before an act."""

    event: str = ""
    rule: Group | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ReEntry:
    how: ReEntryName = "never"
    days: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One step. `next` and `otherwise` name the following ones; empty: the end. An act without `otherwise` of its own goes on
    by `next` when it was refused."""

    name: str
    kind: str
    values: Mapping[str, Any]
    next: str = ""
    otherwise: str = ""
    act: Act | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """What a journey does."""

    trigger: Trigger
    first: str
    steps: Mapping[str, Step]
    who: Group | None = None
    re_entry: ReEntry = ReEntry()
    exits: tuple[Ending, ...] = ()
    goal: Ending | None = None
    most_rounds: int = DEFAULT_ROUNDS


@dataclasses.dataclass(frozen=True, slots=True)
class StepNumbers:
    """Of a step: who is there, who is parked there, and how many went which way."""

    here_count: int = 0
    failed_count: int = 0
    ways: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class JourneyNumbers:
    """Of all versions of a journey. `due_count`: of the live ones those whose turn has come and who are not done for yet."""

    entered_count: int
    live_count: int
    due_count: int
    failed_count: int
    done_count: int
    achieved_count: int
    exited_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class PathLine:
    """One thing that happened to a member on her way."""

    at: dt.datetime
    step: str
    words: str
    code: str
    ref: str


@dataclasses.dataclass(frozen=True, slots=True)
class DefinitionChange:
    """One thing that two versions say differently; empty on a side that does not have it."""

    what: str
    before: str
    after: str
