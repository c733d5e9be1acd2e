"""What the apps keep about members, so that merging, parting, exporting and erasing forget no table.

Each app that has a table with a member's key names it in a `MemberHoldings` of its own; the table of all of them is
`config/member_holdings.py` (`settings.MEMBER_HOLDINGS`), and an architecture test fails when a model with a key to
`members.Member` is in none. The methods run inside the caller's transaction, with the member rows locked in pk
order; they lock their own rows by pk and publish no event about the move itself.
"""

import abc
import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from core.actor import Actor
from members.contracts import MergeLine

Snapshot = dict[str, Any]


class MemberHoldings(abc.ABC):
    """Base of all: one part of what is kept about a member. Subclasses say what becomes of it."""

    # A short name, unique and stable: snapshots of merges are kept under it.
    label: ClassVar[str]
    # How people call this part ("积分").
    title: ClassVar[str | Promise]
    # "app.Model" of every table with a member's key that this part answers for.
    models: ClassVar[tuple[str, ...]]

    @abc.abstractmethod
    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """What each side has of this, and what will be after the merge. Reads only; nothing to say: empty."""

    @abc.abstractmethod
    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """All of it is the survivor's; returns (as JSON) what `restore` needs. Running it again moves latecomers."""

    def join(self, earlier: Snapshot, later: Snapshot) -> Snapshot:
        """What `restore` needs of two moves, the second of which brought latecomers: lists are added up."""
        both: Snapshot = _joined(earlier, later)
        return both

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        """Of these merged rows those that still have something which `move` would take.

        The default looks for any row of `models`; a part that leaves rows where they were says otherwise.
        """
        found: set[int] = set()
        for label in self.models:
            model = apps.get_model(label)
            for field in member_fields(model):
                rows = model._default_manager.filter(**{f"{field}_id__in": emptier_ids})
                found |= set(rows.values_list(f"{field}_id", flat=True).distinct())
        return found

    @abc.abstractmethod
    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """What `move` took is back; what came after the merge stays with the survivor."""

    @abc.abstractmethod
    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """All that hangs on this one row, which may be a merged one, in words a person understands, by section title;
        values are JSON, times ISO 8601."""

    @abc.abstractmethod
    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Of this one row, which may be a merged one: what could tell who she was is gone, figures without a person
        may stay. Answers how many rows were touched; a second call touches none that matter."""


class FollowingHoldings(MemberHoldings):
    """A part of which a merge moves nothing, for it hangs on something that goes along. Subclasses say the rest."""

    models = ()

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing to say."""
        return []

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """Nothing is moved."""
        return {}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Nothing was moved."""


class PlainHoldings(MemberHoldings):
    """A part whose rows simply are the survivor's, and go back as they came. Subclasses say the rest."""

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """Every key in every table of the part names the survivor."""
        return {
            f"{label}.{field}": repoint(
                model=label, emptier_id=emptier_id, survivor_id=survivor_id, field=field
            )
            for label in self.models
            for field in member_fields(apps.get_model(label))
        }

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """The rows that moved are back, but for those that went elsewhere or away meanwhile."""
        for place, ids in snapshot.items():
            label, _dot, field = place.rpartition(".")
            repoint_back(model=label, ids=ids, emptier_id=emptier_id, survivor_id=survivor_id, field=field)


@functools.cache
def _load(table: str) -> tuple[MemberHoldings, ...]:
    paths: Iterable[str] = import_string(table)
    return tuple(import_string(path)() for path in paths)


def all_holdings() -> tuple[MemberHoldings, ...]:
    """Every registered part, in the order of the table (which is the order of locks)."""
    return _load(settings.MEMBER_HOLDINGS)


def member_fields(model: type[models.Model]) -> list[str]:
    """The columns of a table that hold a member's key."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.related_model._meta.label == "members.Member"
    ]


def _joined(earlier: Any, later: Any) -> Any:
    """Two snapshots as one: lists one after the other, objects key by key, of single values the earlier."""
    if isinstance(earlier, dict) and isinstance(later, dict):
        both = {key: _joined(value, later[key]) if key in later else value for key, value in earlier.items()}
        return {**later, **both}
    if isinstance(earlier, list) and isinstance(later, list):
        return [*earlier, *(item for item in later if item not in earlier)]
    return earlier


def repoint(*, model: str, emptier_id: int, survivor_id: int, field: str = "member") -> list[int]:
    """Rows of "app.Model" are the survivor's; the ids of those that moved, in order."""
    rows = apps.get_model(model)._default_manager
    moved = sorted(rows.filter(**{f"{field}_id": emptier_id}).values_list("pk", flat=True))
    rows.filter(pk__in=moved).update(**{f"{field}_id": survivor_id})
    return moved


def repoint_back(
    *,
    model: str,
    ids: Sequence[int],
    emptier_id: int,
    survivor_id: int | None = None,
    field: str = "member",
) -> None:
    """The rows with these ids are the parted member's again; with `survivor_id` those that are still hers."""
    rows: models.Manager[Any] = apps.get_model(model)._default_manager
    mine = rows.filter(pk__in=list(ids))
    if survivor_id is not None:
        mine = mine.filter(**{f"{field}_id": survivor_id})
    mine.update(**{f"{field}_id": emptier_id})
