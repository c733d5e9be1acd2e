"""What a higher app adds to a lower app's pages.

`members` may not know guides, yet a member's page shows her guide: `guides.admin` registers a column, a
filter and a panel under the name of the model, and the member pages show whatever is registered.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse

from core.admin.unfolded import Text


@dataclasses.dataclass(frozen=True, slots=True)
class Panel:
    """One box below a detail page: a title and a template with its context."""

    title: Text
    template: str
    context: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class ExtraColumn:
    """One list column whose values are read for a whole page at once, by primary key."""

    name: str
    title: Text
    load: Callable[[Sequence[int]], Mapping[int, Any]]
    after: str = ""  # the column it follows; at the end when empty


@dataclasses.dataclass(frozen=True, slots=True)
class Tile:
    """One number of the first page; `is_alarm` when somebody should look."""

    title: Text
    number: str
    url: str
    note: Text = ""
    is_alarm: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Alarm:
    """Something on the first page that stands still until a person does something: what, why, and what to do."""

    title: Text
    why: Text
    remedy: Text
    url: str
    ends: Text = ""  # by itself, in words; "" never


@dataclasses.dataclass(frozen=True, slots=True)
class ExtraAction:
    """One bulk action of a list, for accounts with the permission; `run` gets the page, the request and the rows."""

    name: str
    title: Text
    permission: str
    run: Callable[[Any, HttpRequest, Any], HttpResponse]


TileMaker = Callable[[HttpRequest], Sequence[Tile]]
AlarmMaker = Callable[[HttpRequest], Sequence[Alarm]]
PanelMaker = Callable[[HttpRequest, Any], Panel | None]
RuleUrlMaker = Callable[[HttpRequest, Mapping[str, Any], str], str]

_panels: dict[str, list[tuple[int, PanelMaker]]] = defaultdict(list)
_columns: dict[str, list[ExtraColumn]] = defaultdict(list)
_filters: dict[str, list[Any]] = defaultdict(list)
_inlines: dict[str, list[Any]] = defaultdict(list)
_actions: dict[str, list["ExtraAction"]] = defaultdict(list)
_tiles: list[tuple[int, str, TileMaker]] = []
_alarms: list[tuple[int, str, AlarmMaker]] = []
_answers: dict[str, Callable[[str], str | None]] = {}
_rule_urls: list[RuleUrlMaker] = []


def register_panel(label: str, make: PanelMaker, *, order: int = 50) -> None:
    """Show a panel on the detail pages of `app.Model`; smaller orders come first. `make` may return None for
    "nothing to show"."""
    _panels[label].append((order, make))
    _panels[label].sort(key=lambda registered: registered[0])


def register_column(label: str, extra: ExtraColumn) -> None:
    """Add a column to the list of `app.Model`."""
    _columns[label].append(extra)


def register_filter(label: str, list_filter: Any) -> None:
    """Add a filter to the list of `app.Model`."""
    _filters[label].append(list_filter)


def register_action(label: str, extra: ExtraAction) -> None:
    """Add a bulk action to the list of `app.Model`."""
    _actions[label].append(extra)


def register_inline(label: str, inline: Any) -> None:
    """Add an inline to the form of `app.Model`."""
    _inlines[label].append(inline)


def register_tiles(permission: str, make: TileMaker, *, order: int) -> None:
    """Show numbers on the first page, to accounts with the permission; smaller orders come first."""
    _tiles.append((order, permission, make))
    _tiles.sort(key=lambda registered: registered[0])


def register_alarms(permission: str, make: AlarmMaker, *, order: int) -> None:
    """Show what stands still above everything on the first page, to accounts with the permission."""
    _alarms.append((order, permission, make))
    _alarms.sort(key=lambda registered: registered[0])


def alarms_for(request: HttpRequest) -> list[Alarm]:
    """What stands still, of what this account may see."""
    return [
        alarm
        for _order, permission, make in _alarms
        if request.user.has_perm(permission)
        for alarm in make(request)
    ]


def tiles_for(request: HttpRequest) -> list[Tile]:
    """The numbers this account may see."""
    return [
        tile
        for _order, permission, make in _tiles
        if request.user.has_perm(permission)
        for tile in make(request)
    ]


def register_answer(question: str, answer: Callable[[str], str | None]) -> None:
    """Let a lower app ask a higher one about a text it keeps without knowing, e.g. what a channel code is."""
    _answers[question] = answer


def find_answer(question: str, text: str) -> str | None:
    """The registered answer, or None when there is none."""
    answer = _answers.get(question)
    return answer(text) if answer is not None else None


def register_rule_url(make: RuleUrlMaker) -> None:
    """Let boards of lower apps offer the members behind a number to be kept by the rule that finds them."""
    _rule_urls[:] = [make]


def rule_url(request: HttpRequest, rule: Mapping[str, Any], name: str) -> str:
    """Where the account keeps these members under the name; empty where nobody does, or it may not."""
    return next((make(request, rule, name) for make in _rule_urls), "")


def panels_of(request: HttpRequest, instance: models.Model) -> list[Panel]:
    """The registered panels of one row."""
    made = (make(request, instance) for _order, make in _panels[instance._meta.label])
    return [panel for panel in made if panel is not None]


def columns_of(model: type[models.Model]) -> list[ExtraColumn]:
    return _columns[model._meta.label]


def filters_of(model: type[models.Model]) -> list[Any]:
    return _filters[model._meta.label]


def inlines_of(model: type[models.Model]) -> list[Any]:
    return _inlines[model._meta.label]


def actions_of(model: type[models.Model]) -> list[ExtraAction]:
    return _actions[model._meta.label]
