"""Statements of a month that is open, computed from the ledger: nothing is stored, so nothing can be out of date."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from django.utils.translation import gettext as _

from sales.contracts import TargetKey
from sales.models import GuideTotal, LineKind, Metric
from sales.selectors.commission_sources import (
    Entry,
    Reach,
    Sources,
    guides_with_entries,
    list_terms,
    reach_of,
)
from sales.selectors.commission_terms import (
    CommissionTerms,
    Standing,
    bonus_fen,
    fits,
    price_bases,
    rounded,
)
from sales.selectors.targets import find_targets

_WHOLE_BP: Final = 10_000
_AT_ONCE: Final = 200


@dataclasses.dataclass(slots=True)
class LineDraft:
    """One line before it is written; the names are those of CommissionLine."""

    kind: str
    day_on: dt.date
    store_id: int
    base_fen: int = 0
    fen: int = 0
    rate_bp: int = 0
    unit_count: int = 0
    entry_ref: int | None = None
    sale_ref: int | None = None
    return_ref: int | None = None
    document_no: str = ""
    category_code: str = ""
    share_bp: int = _WHOLE_BP
    rule_id: int | None = None
    rule_words: str = ""
    original_id: int | None = None


@dataclasses.dataclass(slots=True)
class StatementDraft:
    """What one guide earned in one month."""

    guide_id: int
    store_id: int
    carried_in_fen: int
    lines: list[LineDraft]

    def sum_of(self, *kinds: str) -> int:
        """What the lines of these kinds earn."""
        return sum(line.fen for line in self.lines if line.kind in kinds)

    @property
    def sales_fen(self) -> int:
        return sum(
            line.base_fen for line in self.lines if line.kind not in {LineKind.BOUNTY, LineKind.TARGET}
        )

    @property
    def earned_fen(self) -> int:
        return self.sum_of(LineKind.SALE, LineKind.RETURN)

    @property
    def bonus_fen(self) -> int:
        return self.sum_of(LineKind.BOUNTY, LineKind.TARGET)

    @property
    def clawed_back_fen(self) -> int:
        return self.sum_of(LineKind.CLAW_BACK, LineKind.CORRECTION)

    @property
    def total_fen(self) -> int:
        return self.earned_fen + self.bonus_fen + self.clawed_back_fen + self.carried_in_fen

    @property
    def payable_fen(self) -> int:
        return max(0, self.total_fen)

    @property
    def carried_out_fen(self) -> int:
        """What is less than nothing is taken from the next month."""
        return min(0, self.total_fen)


@dataclasses.dataclass(slots=True)
class _Pool:
    """What is settled of one order, for one guide in one store and one category: what may still be taken back."""

    original_id: int
    base_fen: int = 0
    fen: int = 0
    rate_bp: int = 0
    rule_id: int | None = None
    rule_words: str = ""
    month_on: dt.date | None = None


def draft_statements(
    month_on: dt.date,
    guide_ids: Sequence[int] | None = None,
    *,
    terms: Sequence[CommissionTerms] | None = None,
) -> Iterator[StatementDraft]:
    """The statements of these guides (None: all who have anything to settle) as they would be prepared now. `terms`
    tries other rules. Who has nothing gets none."""
    reach = reach_of(month_on)
    rules = list_terms() if terms is None else tuple(terms)
    wanted = guides_with_entries(reach) if guide_ids is None else list(guide_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        yield from Drafter(reach, some, rules).drafts(some)


class Drafter:
    """The statements of some guides."""

    def __init__(
        self,
        reach: Reach,
        guide_ids: Sequence[int],
        terms: Sequence[CommissionTerms],
        *,
        entries: Sequence[Entry] | None = None,
    ) -> None:
        self.reach = reach
        self.sources = Sources(reach, guide_ids, entries=entries)
        self.entries: dict[int, list[Entry]] = defaultdict(list)
        for entry in self.sources.entries:
            self.entries[entry.guide_id].append(entry)
        self.targets = find_targets([TargetKey("guide", one) for one in guide_ids], reach.month_on)
        done = GuideTotal.objects.filter(
            period="month",
            starts_on=reach.month_on,
            metric=Metric.SALES_FEN,
            guide_id__any_of=guide_ids,
        )
        self.done = dict(done.values_list("guide_id", "value"))
        self.use(terms)

    def use(self, terms: Sequence[CommissionTerms]) -> None:
        """These rules from now on."""
        self.terms = terms
        self._rules: dict[tuple[str, str, Standing, dt.date, str], CommissionTerms | None] = {}

    def drafts(self, guide_ids: Sequence[int]) -> Iterator[StatementDraft]:
        for guide_id in guide_ids:
            entries = self.entries.get(guide_id, [])
            carried = self.sources.carried_in.get(guide_id, 0)
            if not entries and not carried:
                continue
            store_id = self.sources.paying_store(guide_id, entries)
            lines = Statement(self, guide_id, entries).lines()
            lines += self.target_line(guide_id, store_id)
            if lines or carried:
                yield StatementDraft(guide_id, store_id, carried, lines)

    def rule_for(
        self, kind: str, guide_id: int, store_id: int, day: dt.date, category: str = "", metric: str = ""
    ) -> CommissionTerms | None:
        """The first rule that fits."""
        where = self.sources.standing(guide_id, store_id)
        asked = (kind, metric, where, day, category)
        if asked not in self._rules:
            self._rules[asked] = next(
                (
                    one
                    for one in self.terms
                    if one.kind == kind and one.bounty_metric == metric and fits(one, where, day, category)
                ),
                None,
            )
        return self._rules[asked]

    def target_line(self, guide_id: int, store_id: int) -> list[LineDraft]:
        """Her target's bonus, if any."""
        target = self.targets.get(TargetKey("guide", guide_id), 0)
        rule = self.rule_for("target", guide_id, store_id, self.reach.month_on)
        if rule is None or not target:
            return []
        done = self.done.get(guide_id, 0)
        fen, step = bonus_fen(rule, done_fen=done, target_fen=target)
        if step is None or not fen:
            return []
        words = _("%(rule)s：完成 %(done)s%%，达到 %(step)s%% 档") % {
            "rule": rule.name,
            "done": f"{done * 100 / target:.1f}",
            "step": f"{step.start / 100:g}",
        }
        return [
            LineDraft(
                LineKind.TARGET, self.reach.end - dt.timedelta(days=1), store_id, base_fen=done, fen=fen, rate_bp=step.rate_bp,
                rule_id=rule.id, rule_words=words[:120],
            )
        ]  # fmt: skip


class Statement:
    """One guide's lines: entries that are new are priced by the rules, those that take back what an earlier statement
    paid take back just that."""

    def __init__(self, drafter: Drafter, guide_id: int, entries: Sequence[Entry]) -> None:
        self.drafter = drafter
        self.sources = drafter.sources
        self.guide_id = guide_id
        self.settled = drafter.sources.settled.get(guide_id, ())
        fresh = {entry.id for entry in entries}
        undone = {entry.reversed_entry for entry in entries} & fresh
        # An entry and its reversal that are both new cancel out.
        self.entries = [
            entry for entry in entries if entry.id not in undone and entry.reversed_entry not in fresh
        ]
        self.fresh_sales = {
            (self.sources.order_of(entry.sale_ref), entry.store_id)
            for entry in self.entries
            if entry.metric == Metric.SALES_FEN and entry.return_ref is None and entry.reversed_entry is None
        }
        self.pools = self._pools()
        self.result: list[LineDraft] = []
        self.unpriced: list[LineDraft] = []

    def lines(self) -> list[LineDraft]:
        """All of them in the order of their days."""
        self.read()
        self._price()
        return sorted(self.result + self.unpriced, key=lambda line: (line.day_on, line.entry_ref or 0))

    def read(self) -> None:
        """Lines that say themselves what they bring are in `result`, those that rules are to price in `unpriced`."""
        for entry in sorted(self.entries, key=lambda one: one.id):
            if entry.reversed_entry is not None:
                self._mirror(entry)
            elif entry.metric != Metric.SALES_FEN:
                self._bounty(entry)
            elif entry.return_ref is not None:
                self._return(entry)
            else:
                self._sale(entry)

    def rule_of(self, draft: LineDraft) -> CommissionTerms | None:
        """The rule that prices it: the one that held when it was sold."""
        sale = self.sources.sales.get(draft.sale_ref or 0)
        sold_on = draft.day_on if sale is None else sale.business_on
        return self.drafter.rule_for("sales", self.guide_id, draft.store_id, sold_on, draft.category_code)

    def _pools(self) -> dict[tuple[tuple[str, str], int], dict[str, _Pool]]:
        found: dict[tuple[tuple[str, str], int], dict[str, _Pool]] = defaultdict(dict)
        for line in self.settled:
            if line.sale_ref is None or line.kind == LineKind.BOUNTY:
                continue
            pools = found[(self.sources.order_of(line.sale_ref), line.store_id)]
            pool = pools.setdefault(line.category_code, _Pool(line.id))
            pool.base_fen += line.base_fen
            pool.fen += line.fen
            if line.kind == LineKind.SALE:
                pool.original_id, pool.rate_bp = line.id, line.rate_bp
                pool.rule_id, pool.rule_words = line.rule_id, line.rule_words
                pool.month_on = line.month_on
        return found

    def _draft(self, entry: Entry, kind: str, category: str, base_fen: int) -> LineDraft:
        amount = self.sources.sale_amount(entry.sale_ref)
        sale = self.sources.sales.get(entry.sale_ref or 0)
        is_sale = entry.return_ref is None
        return LineDraft(
            kind=kind,
            day_on=entry.due_on,
            store_id=entry.store_id,
            base_fen=base_fen,
            entry_ref=entry.id,
            sale_ref=entry.sale_ref,
            return_ref=entry.return_ref,
            document_no=self.sources.return_numbers.get(entry.return_ref or 0, "")
            if not is_sale
            else ("" if sale is None else sale.order_no),
            category_code=category,
            share_bp=min(_WHOLE_BP, rounded(abs(entry.value) * _WHOLE_BP, amount))
            if amount and is_sale
            else _WHOLE_BP,
        )

    def _sale(self, entry: Entry) -> None:
        for category, base in self.sources.pieces(entry):
            self.unpriced.append(self._draft(entry, LineKind.SALE, category, base))

    def _return(self, entry: Entry) -> None:
        """From what earlier statements paid for this order, its own category first; what they did not pay for lowers
        the base of this month, where the sale itself stands in it."""
        key = (self.sources.order_of(entry.sale_ref), entry.store_id)
        pools = self.pools.get(key, {})
        for category, base in self.sources.pieces(entry):
            left = -base
            for code in [category, *sorted(set(pools) - {category})]:
                pool = pools.get(code)
                if pool is None or pool.base_fen <= 0 or left <= 0:
                    continue
                taken = min(left, pool.base_fen)
                left -= taken
                self._claw_back(entry, code, pool, taken)
            if left:
                draft = self._draft(entry, LineKind.RETURN, category, -left)
                if key in self.fresh_sales or self.sources.reach.is_provisional:
                    self.unpriced.append(draft)
                else:
                    draft.rule_words = _("原销售没有计提，退货不追回")
                    self.result.append(draft)

    def _claw_back(self, entry: Entry, category: str, pool: _Pool, taken: int) -> None:
        fen = pool.fen if taken == pool.base_fen else rounded(pool.fen * taken, pool.base_fen)
        pool.base_fen -= taken
        pool.fen -= fen
        draft = self._draft(entry, LineKind.CLAW_BACK, category, -taken)
        draft.fen, draft.rate_bp, draft.rule_id = -fen, pool.rate_bp, pool.rule_id
        draft.original_id = pool.original_id
        draft.rule_words = _("追回 %(month)s 已发的提成（%(rule)s）") % {
            "month": f"{pool.month_on:%Y-%m}" if pool.month_on else "",
            "rule": pool.rule_words,
        }
        draft.rule_words = draft.rule_words[:120]
        self.result.append(draft)

    def _mirror(self, entry: Entry) -> None:
        """The ledger took an entry back: so does commission, to the fen, every line of it."""
        for line in self.settled:
            if line.entry_ref != entry.reversed_entry:
                continue
            draft = self._draft(entry, LineKind.CORRECTION, line.category_code, -line.base_fen)
            draft.fen, draft.rate_bp, draft.rule_id = -line.fen, line.rate_bp, line.rule_id
            draft.unit_count, draft.share_bp = -line.unit_count, line.share_bp
            draft.document_no = line.document_no
            draft.original_id = line.id
            month = f"{line.month_on:%Y-%m}"
            draft.rule_words = (_("冲回 %(month)s 的提成") % {"month": month})[:120]
            self.result.append(draft)
            pool = self.pools.get((self.sources.order_of(line.sale_ref), line.store_id), {}).get(
                line.category_code
            )
            if pool is not None and line.kind != LineKind.BOUNTY:
                pool.base_fen -= line.base_fen
                pool.fen -= line.fen

    def _bounty(self, entry: Entry) -> None:
        rule = self.drafter.rule_for(
            "bounty", self.guide_id, entry.store_id, entry.due_on, metric=entry.metric
        )
        if rule is None:
            return
        draft = self._draft(entry, LineKind.BOUNTY, "", 0)
        draft.unit_count, draft.fen = entry.value, entry.value * rule.bounty_fen
        draft.rule_id, draft.rule_words = rule.id, rule.name
        draft.share_bp = _WHOLE_BP
        self.result.append(draft)

    def _price(self) -> None:
        """Each new piece by the first rule that fits; a rule's pieces together, in the order of their days."""
        by_rule: dict[int, tuple[CommissionTerms, list[LineDraft]]] = {}
        for draft in sorted(
            self.unpriced, key=lambda one: (one.day_on, one.entry_ref or 0, one.category_code)
        ):
            rule = self.rule_of(draft)
            if rule is None:
                draft.rule_words = _("没有适用的提成规则")
                continue
            by_rule.setdefault(rule.position, (rule, []))[1].append(draft)
        for rule, drafts in by_rule.values():
            for draft, priced in zip(
                drafts, price_bases(rule, [one.base_fen for one in drafts]), strict=True
            ):
                draft.fen, draft.rate_bp, draft.rule_id = priced.fen, priced.rate_bp, rule.id
                words = _("%(rule)s（跨档）") if priced.crosses else "%(rule)s"
                draft.rule_words = (words % {"rule": rule.name})[:120]
