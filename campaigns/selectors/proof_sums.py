"""Sums of outcomes, by letter or by another dimension, for the chain or for some stores."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.db.models import Case, Exists, OuterRef, QuerySet, Sum, When

from campaigns.contracts.proof import Arm, ProofNumbers
from campaigns.models import CampaignBook, CampaignGoal, CampaignTotal
from core.models import StaffAccount
from coupons.selectors import visible_store_ids

NAMES: Final = tuple(field.name for field in dataclasses.fields(ProofNumbers))
_SUMS: Final = {f"sum_{name}": Sum(name) for name in NAMES}
_LEAST_NEW: Final = 20  # one in twenty may have been there before
# Of these the control group has nothing to do: what is compared is buying.
_OF_TREATED: Final = (CampaignGoal.REDEMPTION,)


def sums_by_letter(run_ids: Iterable[int]) -> dict[str, dict[str, int]]:
    """The totals of these runs by letter, as JSON has them."""
    rows: Any = CampaignTotal.objects.filter(run__in=list(run_ids)).values("letter").annotate(**_SUMS)
    return {
        row["letter"]: {name: int(row[f"sum_{name}"]) for name in NAMES} for row in rows.order_by("letter")
    }


def numbers_by_letter(
    run_ids: Iterable[int], *, store_ids: Collection[int] | None = None
) -> dict[int, dict[str, ProofNumbers]]:
    """Run by run the numbers of each letter; "" is the control group. Of the whole chain they are at hand."""
    wanted, found = list(run_ids), dict[int, dict[str, ProofNumbers]]()
    if store_ids is None:
        for pk, sums in CampaignBook.objects.filter(run__in=wanted).values_list("pk", "sums"):
            found[pk] = {letter: ProofNumbers(**values) for letter, values in sums.items()}
        return found
    rows = CampaignTotal.objects.filter(run__in=wanted, store_id__in=list(store_ids))
    summed: Any = rows.values("run_id", "letter").annotate(**_SUMS).order_by()
    for run_id, letter, *sums in summed.values_list("run_id", "letter", *_SUMS):
        found.setdefault(run_id, {})[letter] = ProofNumbers(*map(int, sums))
    return found


def numbers_by(
    column: str, run_ids: Iterable[int], *, store_ids: Collection[int] | None = None
) -> dict[tuple[Any, bool], ProofNumbers]:
    """The numbers by a column of the totals and by whether they are the control group's."""
    rows = CampaignTotal.objects.filter(run__in=list(run_ids))
    if store_ids is not None:
        rows = rows.filter(store_id__in=list(store_ids))
    rows = rows.annotate(is_control=Case(When(letter="", then=True), default=False))
    summed: Any = rows.values(column, "is_control").annotate(**_SUMS).order_by()
    return {
        (key, is_control): ProofNumbers(*map(int, sums))
        for key, is_control, *sums in summed.values_list(column, "is_control", *_SUMS)
    }


def arm_of(numbers: ProofNumbers, goal: str) -> Arm:
    """The numbers as one side of a comparison."""
    of_buying = goal in _OF_TREATED
    return Arm(
        aimed=numbers.member_count if of_buying else numbers.aimed_count,
        hits=numbers.buyer_count if of_buying else numbers.goal_count,
        members=numbers.member_count,
        buyers=numbers.buyer_count,
        amount_fen=numbers.amount_fen,
        squares=numbers.amount_squares,
    )


def halves(by_letter: Mapping[str, ProofNumbers]) -> tuple[ProofNumbers, ProofNumbers]:
    """(all who were meant to get something, the control group)."""
    treated = sum((one for letter, one in by_letter.items() if letter), ProofNumbers())
    return treated, by_letter.get("", ProofNumbers())


def scope_books(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Runs with members of stores of the scope; of each the account sees those members' part."""
    stores = visible_store_ids(staff)
    if stores is None:
        return queryset
    return queryset.filter(Exists(CampaignTotal.objects.filter(run=OuterRef("pk"), store_id__in=stores)))


def are_new(member_count: int, repeat_count: int) -> bool:
    """Whether the members of several runs are, but for a few, different people: only then they are evidence together."""
    return repeat_count * _LEAST_NEW <= member_count
