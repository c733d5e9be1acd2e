"""What everybody's statement of an open month comes to, without its lines: what the list of a month and a trial show.

The same as adding up `draft_statements`, to the fen: a rule's sum is rounded once, so lines are not needed for it.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from sales.models import LineKind, Metric
from sales.selectors.commission_drafts import Drafter, Statement
from sales.selectors.commission_groups import MonthGroups, last_stores
from sales.selectors.commission_sources import Entry, carried_in, reach_of
from sales.selectors.commission_terms import CommissionTerms, owed_fen

_DAY: Final = dt.timedelta(days=1)


@dataclasses.dataclass(slots=True)
class StatementSums:
    """The sums of one guide's statement; the names are those of CommissionStatement."""

    guide_id: int
    store_id: int
    carried_in_fen: int
    sales_fen: int = 0
    earned_fen: int = 0
    bonus_fen: int = 0
    clawed_back_fen: int = 0

    @property
    def total_fen(self) -> int:
        return self.earned_fen + self.bonus_fen + self.clawed_back_fen + self.carried_in_fen

    @property
    def payable_fen(self) -> int:
        return max(0, self.total_fen)

    @property
    def carried_out_fen(self) -> int:
        return min(0, self.total_fen)


def sum_statements(
    month_on: dt.date,
    term_sets: Sequence[Sequence[CommissionTerms]],
    guide_ids: Collection[int] | None = None,
) -> list[list[StatementSums]]:
    """The sums of these guides (None: everybody) under each of these sets of rules, by guide; the entries are read once.
    Who has nothing has none."""
    reach = reach_of(month_on)
    terms = [one for some in term_sets for one in some]
    groups = MonthGroups(
        reach,
        codes={code for one in terms for code in one.category_codes},
        cuts={one.starts_on for one in terms if one.starts_on}
        | {one.ends_on + _DAY for one in terms if one.ends_on},
        guide_ids=guide_ids,
    )
    found = sorted(
        set(groups.groups) | {entry.guide_id for entry in groups.odd} | set(carried_in(month_on, guide_ids))
    )
    drafter = Drafter(reach, found, (), entries=groups.odd)
    paid = _Paid(drafter, groups, found)
    return [paid.under(some) for some in term_sets]


class _Paid:
    """The guides of a month and what they have to settle."""

    def __init__(self, drafter: Drafter, groups: MonthGroups, guide_ids: Sequence[int]) -> None:
        self.drafter = drafter
        self.groups = groups.groups
        self.guide_ids = guide_ids
        self.entries: dict[int, list[Entry]] = drafter.entries
        self.last_stores = last_stores(drafter.reach, drafter.sources.without_seat(guide_ids))

    def under(self, terms: Sequence[CommissionTerms]) -> list[StatementSums]:
        self.drafter.use(terms)
        return [sums for one in self.guide_ids if (sums := self._sums(one)) is not None]

    def _sums(self, guide_id: int) -> StatementSums | None:
        sources = self.drafter.sources
        store_id = self.last_stores.get(guide_id) or sources.paying_store(guide_id, ())
        sums = StatementSums(guide_id, store_id, sources.carried_in.get(guide_id, 0))
        bases: dict[int, tuple[CommissionTerms, int]] = {}
        has_lines = self._add_groups(guide_id, sums, bases) | self._add_odd(guide_id, sums, bases)
        for rule, base in bases.values():
            sums.earned_fen += owed_fen(rule, base, month_fen=base)
        if guide_id in self.groups or guide_id in self.entries:
            target = self.drafter.target_line(guide_id, store_id)
            sums.bonus_fen += sum(line.fen for line in target)
            has_lines |= bool(target)
        return sums if has_lines or sums.carried_in_fen else None

    def _add_groups(
        self, guide_id: int, sums: StatementSums, bases: dict[int, tuple[CommissionTerms, int]]
    ) -> bool:
        has_lines = False
        for group in self.groups.get(guide_id, ()):
            if group.metric == Metric.SALES_FEN:
                has_lines = True
                sums.sales_fen += group.value
                rule = self.drafter.rule_for(
                    "sales", guide_id, group.store_id, group.day, group.category_code
                )
                _add(bases, rule, group.value)
                continue
            rule = self.drafter.rule_for("bounty", guide_id, group.store_id, group.day, metric=group.metric)
            if rule is not None:
                has_lines = True
                sums.bonus_fen += group.value * rule.bounty_fen
        return has_lines

    def _add_odd(
        self, guide_id: int, sums: StatementSums, bases: dict[int, tuple[CommissionTerms, int]]
    ) -> bool:
        """Entry by entry, as the statement itself reads them."""
        entries = self.entries.get(guide_id)
        if not entries:
            return False
        statement = Statement(self.drafter, guide_id, entries)
        statement.read()
        for draft in statement.unpriced:
            sums.sales_fen += draft.base_fen
            _add(bases, statement.rule_of(draft), draft.base_fen)
        for kind, fen in _by_kind(statement):
            if kind == LineKind.BOUNTY:
                sums.bonus_fen += fen
            else:
                sums.clawed_back_fen += fen
        sums.sales_fen += sum(line.base_fen for line in statement.result if line.kind != LineKind.BOUNTY)
        return bool(statement.unpriced or statement.result)


def _by_kind(statement: Statement) -> list[tuple[str, int]]:
    fen: dict[str, int] = defaultdict(int)
    for line in statement.result:
        fen[line.kind] += line.fen
    return list(fen.items())


def _add(bases: dict[int, tuple[CommissionTerms, int]], rule: CommissionTerms | None, value: int) -> None:
    if rule is not None:
        bases[rule.position] = (rule, bases.get(rule.position, (rule, 0))[1] + value)
