"""What a commission rule pays: whom and what it fits, and how much. Pure: no row, no clock.

Rounding is stated once: what a rule owes for a whole month is rounded half up to the fen, and its lines get what each
adds to that, in the order of their days. So lines add up to the rule's sum exactly, and no line is off by a fen.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

_WHOLE_BP: Final = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """From here on: fen sold in the month, or basis points of the target."""

    start: int
    rate_bp: int
    fixed_fen: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CommissionTerms:
    """A rule as it is applied; empty conditions hold everywhere."""

    id: int | None
    position: int
    name: str
    kind: Literal["sales", "bounty", "target"]
    mode: Literal["progressive", "whole"] = "progressive"
    steps: tuple[Step, ...] = ()
    bounty_metric: str = ""
    bounty_fen: int = 0
    category_codes: frozenset[str] = frozenset()
    region_ids: frozenset[int] = frozenset()
    dealer_ids: frozenset[int] = frozenset()
    role: Literal["", "guide", "manager"] = ""
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """Where and as what somebody sold."""

    region_ids: frozenset[int]
    dealer_id: int | None
    is_manager: bool


def fits(terms: CommissionTerms, where: Standing, day: dt.date, category_code: str = "") -> bool:
    """Whether a rule pays for this."""
    if terms.starts_on is not None and day < terms.starts_on:
        return False
    if terms.ends_on is not None and day > terms.ends_on:
        return False
    if terms.region_ids and not terms.region_ids & where.region_ids:
        return False
    if terms.dealer_ids and where.dealer_id not in terms.dealer_ids:
        return False
    if terms.role and (terms.role == "manager") != where.is_manager:
        return False
    return not terms.category_codes or category_code in terms.category_codes


def rounded(numerator: int, denominator: int) -> int:
    """Half up, away from nothing: what is taken back is rounded as what was given."""
    whole, rest = divmod(abs(numerator), denominator)
    whole += rest * 2 >= denominator
    return whole if numerator >= 0 else -whole


def rate_at(terms: CommissionTerms, amount_fen: int) -> int:
    """The rate of the step that this much reaches; below nothing the first."""
    reached = [step.rate_bp for step in terms.steps if step.start <= max(0, amount_fen)]
    return reached[-1] if reached else 0


def owed_fen(terms: CommissionTerms, amount_fen: int, *, month_fen: int) -> int:
    """What a sales rule owes for the first `amount_fen` of a month that comes to `month_fen`."""
    if terms.mode == "whole":
        return rounded(amount_fen * rate_at(terms, month_fen), _WHOLE_BP)
    if amount_fen < 0:
        return rounded(amount_fen * rate_at(terms, 0), _WHOLE_BP)
    ends = [step.start for step in terms.steps[1:]]
    parts = sum(
        (min(amount_fen, end) - step.start) * step.rate_bp
        for step, end in zip(terms.steps, [*ends, amount_fen], strict=True)
        if amount_fen > step.start
    )
    return rounded(parts, _WHOLE_BP)


@dataclasses.dataclass(frozen=True, slots=True)
class Priced:
    """What one base earns, at which rate; a base that crosses a step has the mean of both."""

    fen: int
    rate_bp: int
    crosses: bool


def price_bases(terms: CommissionTerms, bases: Sequence[int]) -> list[Priced]:
    """What each base of a month earns, in their order; together exactly what the month's sum owes."""
    month_fen = sum(bases)
    priced: list[Priced] = []
    before = 0
    for base in bases:
        after = before + base
        fen = owed_fen(terms, after, month_fen=month_fen) - owed_fen(terms, before, month_fen=month_fen)
        if terms.mode == "whole":
            rate, crosses = rate_at(terms, month_fen), False
        else:
            low, high = min(before, after), max(before, after)
            rate, top = rate_at(terms, low), rate_at(terms, max(low, high - 1))
            crosses = rate != top
            if crosses:
                rate = (
                    max(0, rounded(fen * _WHOLE_BP, base))
                    if base > 0
                    else max(0, rounded(-fen * _WHOLE_BP, -base))
                )
        priced.append(Priced(fen, rate, crosses))
        before = after
    return priced


def bonus_fen(terms: CommissionTerms, *, done_fen: int, target_fen: int) -> tuple[int, Step | None]:
    """What a target rule pays, and the highest step reached; nothing without a target."""
    if target_fen <= 0:
        return 0, None
    done = max(0, done_fen)
    reached = [step for step in terms.steps if done * _WHOLE_BP >= step.start * target_fen]
    if not reached:
        return 0, None
    if terms.mode == "whole":
        return rounded(done * reached[-1].rate_bp, _WHOLE_BP) + reached[-1].fixed_fen, reached[-1]
    # In ten-thousandths of a fen squared: where steps begin in money is no whole number.
    starts = [step.start * target_fen for step in reached]
    ends = [*starts[1:], done * _WHOLE_BP]
    parts = sum((end - start) * step.rate_bp for step, start, end in zip(reached, starts, ends, strict=True))
    return rounded(parts, _WHOLE_BP**2) + sum(step.fixed_fen for step in reached), reached[-1]
