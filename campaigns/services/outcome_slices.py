"""Some members of a run: their places in it and their rows, and what is done to them at once.

Places and rows are read first and named by their keys in what follows. The statistics may know nothing yet of a run that
began a minute ago, and a planner that thinks it has one member joins twenty thousand with twenty thousand, one by one.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from campaigns.models import CampaignBook, CampaignOutcome, CampaignRun, OutcomeTouch
from campaigns.services.outcome_sql import (
    BETWEEN,
    DROP,
    LEFT,
    NEXT,
    PLAN_BY_KEYS,
    THESE,
    begin_sql,
    count_sql,
    deliver_sql,
    execute,
    read,
    values_of,
)
from core.arrays import array_words

_PLACES: Final = "campaigns_campaignmember"
_ROWS: Final = "campaigns_campaignoutcome"
# Behind every key.
END: Final = 2**63 - 1
# Of a member: the key of her place or row, and its letter.
_Held = dict[int, tuple[int, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """Members in the order of their keys up to `upto`; END where there is nobody behind them."""

    places: _Held
    rows: _Held
    upto: int


def read_slice(*, run_id: int, after: int, size: int) -> Slice:
    """The next members of the run behind this key, and rows of the same span, whosever they are."""
    asked = {"run_id": run_id, "after": after, "size": size}
    places = _held(_PLACES, NEXT, asked)
    upto = max(places) if len(places) == size else END
    return Slice(places, _held(_ROWS, BETWEEN, asked | {"upto": upto}), upto)


def read_members(*, run_id: int, member_ids: Collection[int]) -> Slice:
    """These members as far as they are in the run or have a row of it."""
    asked = {"run_id": run_id, "asked": array_words(member_ids)}
    return Slice(_held(_PLACES, THESE, asked), _held(_ROWS, THESE, asked), END)


def begin_members(*, run: CampaignRun, members: Slice) -> int:
    """Whoever of them has no row has one; how many there were."""
    missing = [
        place for member_id, (place, _letter) in members.places.items() if member_id not in members.rows
    ]
    if not missing:
        return 0
    values = values_of(run, until=None) | {"place_ids": array_words(missing)}
    return execute(text=begin_sql(run.campaign.goal), values=values)


def mend_rows(*, run: CampaignRun, members: Slice) -> bool:
    """Rows are those of the places, however members were merged and parted while rows were written; whether any was wrong.
    Who has a new one is noted: whoever deletes an older note of hers found no row to count."""
    wrong = {
        member_id: row
        for member_id, (row, letter) in members.rows.items()
        if member_id not in members.places or members.places[member_id][1] != letter
    }
    if wrong:
        execute(text=DROP, values={"row_ids": array_words(wrong.values())})
    right = {member_id: held for member_id, held in members.rows.items() if member_id not in wrong}
    missing = [member_id for member_id in members.places if member_id not in right]
    if missing:
        begin_members(run=run, members=dataclasses.replace(members, rows=right))
        OutcomeTouch.objects.bulk_create(OutcomeTouch(member_id=member_id) for member_id in missing)
    return bool(wrong or missing)


def count_members(*, book: CampaignBook, run: CampaignRun, members: Slice) -> bool:
    """They are counted as far as they have both place and row; whether a row changed."""
    values = values_of(run, until=book.counted_until) | _pairs(members)
    return bool(execute(text=count_sql(run.campaign), values=values))


def deliver_members(*, members: Slice) -> bool:
    """What was done to them is read anew; whether a row changed."""
    return bool(execute(text=deliver_sql(), values=_pairs(members)))


def leave_messages(*, run_id: int, member_id: int, reach_ids: Sequence[int]) -> None:
    """She is about to be erased: what becomes of these messages of hers is read when they are over."""
    row = CampaignOutcome.objects.filter(run=run_id, member_id=member_id)
    row.update(left_reach_ids=list(reach_ids) or None)


def read_left_messages(*, run_id: int) -> bool:
    """What became of messages to members who were erased since, as far as they are over; whether a row changed."""
    return bool(execute(text=LEFT, values={"run_id": run_id}))


def plan_by_keys() -> None:
    """Members are looked up by keys until the transaction ends."""
    execute(text=PLAN_BY_KEYS, values={})


def _held(table: str, text: str, asked: Mapping[str, Any]) -> _Held:
    found = read(text=text.format(table=table), values=asked)
    return {member_id: (key, letter) for member_id, key, letter in found}


def _pairs(members: Slice) -> dict[str, str]:
    both = [
        (row, members.places[member_id][0])
        for member_id, (row, letter) in members.rows.items()
        if member_id in members.places and members.places[member_id][1] == letter
    ]
    return {
        "row_ids": array_words(row for row, _place in both),
        "place_ids": array_words(place for _row, place in both),
    }
