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

    @abc.abstractmethod
    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """What `move` took is back; what came after the merge stays with the survivor."""

    @abc.abstractmethod
    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """All of it in words a person understands, by section title; values are JSON, times ISO 8601."""

    @abc.abstractmethod
    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """What could tell who she was is gone from here; figures without a person may stay. Rows touched."""


@functools.cache
def _load(table: str) -> tuple[MemberHoldings, ...]:
    paths: Iterable[str] = import_string(table)
    return tuple(import_string(path)() for path in paths)


def all_holdings() -> tuple[MemberHoldings, ...]:
    """Every registered part, in the order of the table (which is the order of locks)."""
    return _load(settings.MEMBER_HOLDINGS)


def repoint(*, model: str, emptier_id: int, survivor_id: int, field: str = "member") -> list[int]:
    """Rows of "app.Model" are the survivor's; the ids of those that moved, in order."""
    rows = apps.get_model(model)._default_manager
    moved = sorted(rows.filter(**{f"{field}_id": emptier_id}).values_list("pk", flat=True))
    rows.filter(pk__in=moved).update(**{f"{field}_id": survivor_id})
    return moved


def repoint_back(*, model: str, ids: Sequence[int], emptier_id: int, field: str = "member") -> None:
    """The rows with these ids are the parted member's again."""
    rows: models.Manager[Any] = apps.get_model(model)._default_manager
    rows.filter(pk__in=ids).update(**{f"{field}_id": emptier_id})
