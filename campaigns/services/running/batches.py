"""One batch of a run: its members get what is theirs, and that they did is written down in the same transaction.

Locks: Campaign → Member → CampaignMember → CampaignRun. One batch of a campaign at a time, for its row is locked: whoever
pauses or stops it waits for the batch under way and knows then that nothing more comes.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from campaigns.contracts.acts import Act, ActTarget
from campaigns.models import Campaign, CampaignMemberState, CampaignRun
from campaigns.selectors.acts import act_of
from campaigns.selectors.campaign_clicks import page_with_token
from campaigns.services.acts import lock_targets, perform
from campaigns.services.running.words import MEMBER_GONE, RELEASER
from core.arrays import array_words
from core.compiled import ask
from guides import selectors as guide_selectors

# Of those who wait the first are looked at; the batch is those with the letter of the very first, so that it has one
# variant's acts and at most one batch of coupons.
_LOOK_AT: Final = 2_000
BATCH: Final = 500
# Tried again after so many minutes each time; then it is a refusal.
_PAUSES_MIN: Final = (1, 5, 15, 60, 180)
# A merge under way brings her row to whom she lives on as; the sweep for latecomers comes every minute.
_STRAY_PAUSE: Final = dt.timedelta(seconds=60)
_REF_FIELDS: Final[Mapping[str, str]] = {"reach": "reach_id", "coupon": "coupon_id"}

_FRESH: Final = """
WITH first AS MATERIALIZED (
    SELECT id, member_id, letter FROM campaigns_campaignmember
    WHERE run_id = %(run)s AND state = 'waiting' AND not_before IS NULL ORDER BY id LIMIT %(look)s)
SELECT id, member_id, letter FROM first
WHERE letter = (SELECT letter FROM first ORDER BY id LIMIT 1) ORDER BY id LIMIT %(limit)s
"""
_PUT_OFF: Final = """
WITH first AS MATERIALIZED (
    SELECT id, member_id, letter FROM campaigns_campaignmember
    WHERE run_id = %(run)s AND state = 'waiting' AND not_before <= %(at)s::timestamptz ORDER BY not_before LIMIT %(look)s)
SELECT id, member_id, letter FROM first
WHERE letter = (SELECT letter FROM first LIMIT 1) ORDER BY id LIMIT %(limit)s
"""
_WRITE: Final = """
UPDATE campaigns_campaignmember row SET
    state = told.state, code = told.code, reach_id = coalesce(told.reach_id, row.reach_id),
    coupon_id = coalesce(told.coupon_id, row.coupon_id), follow_up_id = coalesce(told.follow_up_id, row.follow_up_id),
    released_at = CASE WHEN told.state = 'waiting' THEN NULL ELSE %(at)s::timestamptz END,
    not_before = told.not_before, try_count = told.tries
FROM unnest(
    %(ids)s::bigint[], %(states)s::text[], %(codes)s::text[], %(reaches)s::bigint[], %(coupons)s::bigint[],
    %(follow_ups)s::bigint[], %(not_before)s::timestamptz[], %(tries)s::int[]
) AS told (id, state, code, reach_id, coupon_id, follow_up_id, not_before, tries)
WHERE row.id = told.id
"""


_LOCK: Final = """
SELECT id, member_id, coupon_id, reach_id, try_count FROM campaigns_campaignmember
WHERE id = ANY(%(ids)s::bigint[]) AND state = 'waiting' ORDER BY id FOR NO KEY UPDATE
"""


@dataclasses.dataclass(slots=True, eq=False)
class Place:
    """One member's place in the run while her acts are done. `coupon_id`, `reach_id`: what she has of it already."""

    pk: int
    member_id: int
    coupon_id: int | None
    reach_id: int | None
    tries: int
    state: str = CampaignMemberState.DONE
    code: str = ""
    not_before: dt.datetime | None = None
    # What is put by for her text.
    text_hundredths: int = 0
    refs: dict[str, int] = dataclasses.field(default_factory=dict)

    def refuse(self, code: str) -> None:
        self.state, self.code = CampaignMemberState.REFUSED, code

    def put_off(self, code: str, until: dt.datetime) -> None:
        self.state, self.code, self.not_before = CampaignMemberState.WAITING, code, until


def next_waiting(run: CampaignRun, *, limit: int, at: dt.datetime) -> tuple[str, dict[int, int]]:
    """The letter of the next batch, and its rows with their members; nothing is locked."""
    values = {"run": run.pk, "look": _LOOK_AT, "limit": limit}
    found = ask(_FRESH, values) or ask(_PUT_OFF, values | {"at": at})
    return (found[0][2] if found else ""), {pk: member_id for pk, member_id, _letter in found}


def lock_places(*, wanted: Mapping[int, int], at: dt.datetime) -> tuple[list[Place], dict[int, int]]:
    """Their members are locked, then those of the rows that wait still; with the living row of each member. Who was erased is
    refused; whose row is about to go to whom she was merged into waits for that."""
    living = lock_targets(set(wanted.values()))
    places = []
    for row in ask(_LOCK, {"ids": array_words(wanted)}):
        place = Place(*row)
        if place.member_id != wanted[place.pk]:
            continue  # she was merged between the look and the lock: her turn comes again
        if place.member_id not in living:
            place.refuse(MEMBER_GONE)
        elif living[place.member_id] != place.member_id:
            place.put_off("", at + _STRAY_PAUSE)
        places.append(place)
    return places, living


def do_acts(
    *,
    campaign: Campaign,
    run: CampaignRun,
    acts: Sequence[Act],
    places: Sequence[Place],
    living: Mapping[int, int],
    at: dt.datetime,
) -> None:
    """The variant's acts in their order; who is refused one gets none of the following."""
    for number, act in enumerate(acts, 1):
        going = [place for place in places if place.state == CampaignMemberState.DONE]
        if not going:
            return
        targets = [_target(campaign, run, act, place, number) for place in going]
        outcomes = perform(act=act, targets=targets, living=living, actor=RELEASER, at=at)
        for place, outcome in zip(going, outcomes, strict=True):
            if outcome.state == "done":
                _note(place, act, outcome.ref)
            elif outcome.state == "refused" or place.tries >= len(_PAUSES_MIN):
                place.refuse(outcome.code)
            else:
                place.put_off(outcome.code, at + dt.timedelta(minutes=_PAUSES_MIN[place.tries]))
                place.tries += 1
        if act.kind == "follow_up":
            _note_follow_ups(going, targets)


def _target(campaign: Campaign, run: CampaignRun, act: Act, place: Place, number: int) -> ActTarget:
    # By her place, not by her: who is tried again may live on as somebody else by then, and has what she had.
    key = f"camp:{run.pk}:p{place.pk}:{number}"
    page = page_with_token(act.values.get("page", ""), place.pk) if act.kind == "reach" else ""
    return ActTarget(place.member_id, key, {"campaign": campaign.name}, page, place.text_hundredths)


def _note(place: Place, act: Act, ref: str) -> None:
    field = _REF_FIELDS.get(act.kind)
    if field is not None and field not in place.refs:
        place.refs[field] = int(ref.partition(":")[2])


def _note_follow_ups(going: Sequence[Place], targets: Sequence[ActTarget]) -> None:
    ids = guide_selectors.list_follow_up_ids([f"act:{target.key}" for target in targets])
    for place, target in zip(going, targets, strict=True):
        if (found := ids.get(f"act:{target.key}")) is not None:
            place.refs.setdefault("follow_up_id", found)


def write_places(*, places: Sequence[Place], at: dt.datetime) -> None:
    """What became of each, by one statement. Their rows are locked."""
    columns: dict[str, Iterable[Any]] = {
        "ids": (place.pk for place in places),
        "states": (str(place.state) for place in places),
        "codes": (place.code[:40] for place in places),
        "reaches": (place.refs.get("reach_id") for place in places),
        "coupons": (place.refs.get("coupon_id") for place in places),
        "follow_ups": (place.refs.get("follow_up_id") for place in places),
        "not_before": (place.not_before for place in places),
        "tries": (place.tries for place in places),
    }
    ask(_WRITE, {"at": at, **{name: array_words(values) for name, values in columns.items()}})


def acts_of_letter(*, campaign: Campaign, letter: str) -> list[Act]:
    """What a variant does."""
    kept = campaign.variants.filter(letter=letter).values_list("acts", flat=True).first() or []
    return [act_of(act) for act in kept]
