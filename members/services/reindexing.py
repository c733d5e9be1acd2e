"""Fingerprints under the newest index key, so that the old one can be thrown away."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from django.db import IntegrityError, connection, transaction

from core.models import LockingQuerySet
from members.models import Identity, Member, MemberIdentity
from members.selectors import name_tokens, phone_indexes

_BATCH: Final = 1_000
_NAME_COLUMNS: Final = ("pk", "name", "name_tokens")
_PAUSE_S: Final = 0.2  # before asking again for rows that a writer held

Report = Callable[[int], None]
Move = tuple[int, str, str]  # row id, the fingerprint it has, the one it should have


@dataclasses.dataclass(slots=True)
class Reindexed:
    """What a run did. `stuck_count` fingerprints belong to no phone we keep, or their new form is somebody else's
    already: a person has to look at them before the old key goes."""

    done_count: int = 0
    stuck_count: int = 0
    is_finished: bool = True


def reindex_phones(*, limit_s: float | None = None, report: Report | None = None) -> Reindexed:
    """Every phone identity is under the first index key, or the time is up (`is_finished` tells).

    A fingerprint cannot be read backwards: it is made anew from the sealed phones of its member and of the rows
    merged into her. May stop anywhere and be run again; waits for no writer; nobody is found less meanwhile,
    because look-ups ask for all keys. `report` hears how many are done.
    """
    deadline = None if limit_s is None else time.monotonic() + limit_s
    total = Reindexed()
    while True:
        held_back = total.stuck_count = 0
        for moves, orphan_count in _stretches():
            if deadline is not None and time.monotonic() > deadline:
                total.is_finished = False
                return total
            done, taken = _write(moves)
            total.done_count += done
            total.stuck_count += orphan_count + taken
            held_back += len(moves) - done - taken
            if done and report is not None:
                report(total.done_count)
        if not held_back:
            return total
        time.sleep(_PAUSE_S)


def reindex_names(
    *, rows: LockingQuerySet[Any] | None = None, limit_s: float | None = None, report: Report | None = None
) -> Reindexed:
    """The search tokens of every name are those of the first index key, or the time is up.

    `rows` are other rows with a sealed `name` and its `name_tokens` (what guides call members); without it the
    members themselves. May stop anywhere and be run again; rows that somebody holds wait for the next round.
    """
    names: Any = Member.objects.all() if rows is None else rows
    deadline = None if limit_s is None else time.monotonic() + limit_s
    total = Reindexed()
    while True:
        after, held_back = 0, 0
        while stretch := list(names.filter(pk__gt=after).order_by("pk").only(*_NAME_COLUMNS)[:_BATCH]):
            if deadline is not None and time.monotonic() > deadline:
                total.is_finished = False
                return total
            after = stretch[-1].pk
            stale = [row.pk for row in stretch if row.name_tokens != name_tokens(row.name)]
            done = _write_tokens(names, stale)
            total.done_count += done
            held_back += len(stale) - done
            if done and report is not None:
                report(total.done_count)
        if not held_back:
            return total
        time.sleep(_PAUSE_S)


def _write_tokens(names: Any, stale: list[int]) -> int:
    if not stale:
        return 0
    with transaction.atomic():
        held = names.filter(pk__in=stale).only(*_NAME_COLUMNS).claim(len(stale))
        for row in held:
            row.name_tokens = name_tokens(row.name)
        names.model.objects.bulk_update(held, ["name_tokens"])
    return len(held)


def count_older_phones() -> int:
    """Phone identities that are not under the first key of a phone we keep: 0 before an old key may go."""
    return sum(len(moves) + orphan_count for moves, orphan_count in _stretches())


def _stretches() -> Iterator[tuple[list[Move], int]]:
    """Identities by the thousand: which have to be made anew, and how many belong to no phone."""
    after = 0
    while True:
        rows = list(
            MemberIdentity.objects.filter(kind=Identity.PHONE, app_id="", pk__gt=after)
            .order_by("pk")
            .values_list("pk", "member_id", "value")[:_BATCH]
        )
        if not rows:
            return
        after = rows[-1][0]
        current: dict[int, dict[str, str]] = {}
        for owner_id, digits in _phones_of({member_id for _pk, member_id, _value in rows}):
            newest, *older = phone_indexes(digits)
            current.setdefault(owner_id, {}).update(dict.fromkeys([newest, *older], newest))
        known = [(pk, value, current.get(member_id, {}).get(value)) for pk, member_id, value in rows]
        moves = [(pk, old, new) for pk, old, new in known if new is not None and new != old]
        yield moves, sum(new is None for _pk, _old, new in known)


def _phones_of(member_ids: Iterable[int]) -> Iterator[tuple[int, str]]:
    """(member, phone) of these members' rows and of all rows merged into them."""
    owners = {member_id: member_id for member_id in member_ids}
    rows = Member.objects.filter(pk__in=list(owners))
    while owners:
        following: dict[int, int] = {}
        for pk, into, phone in [
            (row.pk, row.merged_into_id, row.phone) for row in rows.only("phone", "merged_into")
        ]:
            owner = owners.get(pk) or owners[into or pk]
            following[pk] = owner
            if phone:
                yield owner, phone
        owners = following
        rows = Member.objects.filter(merged_into__in=list(owners)).exclude(pk__in=list(owners))


def _write(moves: list[Move]) -> tuple[int, int]:
    """(made anew, not made because another row has the new one). Rows that somebody holds are passed over."""
    if not moves:
        return 0, 0
    taken = set(
        MemberIdentity.objects.filter(
            kind=Identity.PHONE, app_id="", value__in=[new for _pk, _old, new in moves]
        ).values_list("value", flat=True)
    )
    wanted = {pk: (old, new) for pk, old, new in moves if new not in taken}
    try:
        with transaction.atomic():
            held = MemberIdentity.objects.filter(pk__in=list(wanted)).claim(len(moves))
            # Only what still is what was read: a writer may have been faster.
            fresh = [(row.pk, wanted[row.pk][1]) for row in held if row.value == wanted[row.pk][0]]
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE members_memberidentity AS stored SET value = fresh.value "
                    "FROM unnest(%s::bigint[], %s::text[]) AS fresh(id, value) WHERE stored.id = fresh.id",
                    [[pk for pk, _value in fresh], [value for _pk, value in fresh]],
                )
    except IntegrityError:
        return 0, len(moves) - len(wanted)  # registered this instant; the next round sees it
    return len(fresh), len(moves) - len(wanted)
