"""Which guide keeps a member who scans another guide's code. Pure: no row, no clock."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True)
class Existing:
    """The live binding."""

    guide_id: int
    is_guide_active: bool
    bound_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """One row of BindingPolicy. `protected_days` None: the first guide keeps her; 0: the last scan wins."""

    protected_days: int | None
    region_id: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    verdict: Literal["keep", "rebind"]
    reason: Literal[
        "same_guide",
        "guide_left",
        "older_scan",
        "first_wins",
        "protected",
        "last_scan_wins",
        "protection_over",
    ]


FIRST_WINS = Terms(protected_days=None)


def choose_terms(policies: Iterable[Terms], *, region_path: str) -> Terms:
    """The terms for a store whose region has that path ("/1/7/"): the deepest region named, the chain-wide
    one if none of its regions is, first-wins if there is no policy at all."""
    place = [int(part) for part in region_path.split("/") if part]
    best, best_depth = FIRST_WINS, -1
    for terms in policies:
        if terms.region_id is None:
            depth = 0
        elif terms.region_id in place:
            depth = place.index(terms.region_id) + 1
        else:
            continue
        if depth > best_depth:
            best, best_depth = terms, depth
    return best


def decide(existing: Existing, *, incoming_guide_id: int | None, terms: Terms, at: dt.datetime) -> Decision:
    """Whether the scan at `at` takes her to the incoming guide (None: to whomever the store gives her).

    A guide who has left always loses. A scan older than the binding never wins: it was merely told late.
    Protection of N days ends exactly N × 24 hours after the binding.
    """
    if incoming_guide_id == existing.guide_id:
        return Decision("keep", "same_guide")
    if not existing.is_guide_active:
        return Decision("rebind", "guide_left")
    if at < existing.bound_at:
        return Decision("keep", "older_scan")
    if terms.protected_days is None:
        return Decision("keep", "first_wins")
    if at < existing.bound_at + dt.timedelta(days=terms.protected_days):
        return Decision("keep", "protected")
    return Decision("rebind", "protection_over" if terms.protected_days else "last_scan_wins")
