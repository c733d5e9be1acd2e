"""Orders are booked, a batch of them in one transaction: rows, whose they are, ledger, rewards."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from core import events
from core.actor import Actor
from core.errors import Refusal
from members import selectors as member_selectors
from members import services as member_services
from sales.contracts import DocumentOutcome, OrderDocument
from sales.errors import CorrectedBelowReturned, DocumentConflict
from sales.events import SaleCorrected, SaleRecorded
from sales.models import (
    Attribution,
    AttributionRule,
    AttributionShare,
    EntryReason,
    Sale,
    SaleLine,
    SaleReturn,
    SaleReturnLine,
)
from sales.services.attributing import Decision, RuleTerms, Situation, decide
from sales.services.firsts import move_firsts
from sales.services.metrics import refresh_member_metrics
from sales.services.order_coupons import carry_coupons, hold_coupons_of
from sales.services.reading import digest_of_order
from sales.services.reconciling import reconcile_sales
from sales.services.references import References, day_of, exclusive_guides, sharing_guides
from sales.services.reviews import carry_review
from sales.services.rewards import NO_REWARDS, REWARD_COLUMNS, reward_sales, withdraw_rewards
from sales.services.writing import NewSale, write_decisions, write_sales

# A batch above this size announces nothing for each order: its listeners have jobs that find what is new.
MOST_ANNOUNCED: Final = 100
Numbered = tuple[int, OrderDocument]  # the document's place in the batch


class Booking:
    """One batch of usable orders inside the caller's transaction.

    `book` answers an outcome or a refusal for each place. Raises IntegrityError when another transaction booked one
    of the orders meanwhile: the caller rolls back and looks again.
    """

    def __init__(self, *, actor: Actor, at: dt.datetime) -> None:
        self.actor = actor
        self.at = at
        self.answers: dict[int, DocumentOutcome | Refusal] = {}

    def book(self, orders: Sequence[Numbered]) -> dict[int, DocumentOutcome | Refusal]:
        references = References([order for _place, order in orders])
        fresh, revised = self._sort_out(orders, references)
        named = [document for _place, document in fresh] + [document for _place, document, _old in revised]
        if named:
            self._book(fresh, revised, references)
        return self.answers

    def _sort_out(
        self, orders: Sequence[Numbered], references: References
    ) -> tuple[list[Numbered], list[tuple[int, OrderDocument, Sale]]]:
        """Which orders are new and which correct an earlier revision; all others are answered here."""
        known = _known(orders)
        fresh: dict[tuple[str, str], Numbered] = {}
        revised: list[tuple[int, OrderDocument, Sale]] = []
        for place, order in sorted(
            orders, key=lambda one: (one[1].source, one[1].order_no, one[1].revision, one[0])
        ):
            key = (order.source, order.order_no)
            try:
                current = known.get(key)
                if current is not None and self._is_answered(place, order, current):
                    continue
                references.check(order)
                if current is None:
                    fresh[key] = (place, order)
                else:
                    revised.append((place, order, current))
            except Refusal as refusal:
                self.answers[place] = refusal
        return sorted(fresh.values(), key=lambda one: one[0]), revised

    def _is_answered(self, place: int, order: OrderDocument, current: Sale) -> bool:
        if order.revision > current.revision:
            return False
        outcome = "repeated"
        if order.revision < current.revision:
            outcome = "superseded"
        elif bytes(current.digest) != digest_of_order(order):
            raise DocumentConflict
        self.answers[place] = outcome_of(order=order, outcome=outcome, sale_id=current.pk)
        return True

    def _book(
        self,
        fresh: Sequence[Numbered],
        revised: Sequence[tuple[int, OrderDocument, Sale]],
        references: References,
    ) -> None:
        orders = [order for _place, order in fresh] + [order for _place, order, _old in revised]
        members = {references.member(order) for order in orders} | {old.member_id for _p, _o, old in revised}
        lock_known_members(members=members)
        hold_coupons_of(sale_ids=[old.pk for _place, _order, old in revised], orders=orders)
        revised = [one for one in revised if self._take_over(one, references)]
        orders = [order for _place, order in fresh] + [order for _place, order, _old in revised]
        references.ensure_products(orders, at=self.at)
        rewards = [NO_REWARDS] * len(fresh) + [
            tuple(getattr(old, name) for name in REWARD_COLUMNS) for _p, _o, old in revised
        ]
        sale_ids = write_sales(
            sales=[
                NewSale(
                    order,
                    digest_of_order(order),
                    references.member(order),
                    day_of(min(order.sold_at, self.at)),
                    rewards=carried,
                )
                for order, carried in zip(orders, rewards, strict=True)
            ],
            references=references,
            at=self.at,
        )
        moved = move_firsts(member_id for member_id in members if member_id is not None)
        decisions = decide_all(orders=orders, references=references, at=self.at)
        write_decisions(sale_ids=sale_ids, decisions=decisions, at=self.at)
        for (_place, order, old), sale_id in zip(revised, sale_ids[len(fresh) :], strict=True):
            _bring_returns(old, sale_id)
            carry_review(old=old, sale_id=sale_id, member_id=references.member(order))
            carry_coupons(old=old, sale_id=sale_id, actor=self.actor, at=self.at)
            self._keep_decision(old, sale_id)
            events.publish(SaleCorrected(sale_id, old.pk))
            self.answers[_place] = outcome_of(order=order, outcome="corrected", sale_id=sale_id)
        new_ids = frozenset(sale_ids[: len(fresh)])
        reconcile_sales(sale_ids, reason=EntryReason.CORRECTED, at=self.at, fresh=new_ids)
        reconcile_sales(set(moved) - set(sale_ids), reason=EntryReason.FIRST_MOVED, at=self.at)
        reward_sales(sale_ids, actor=self.actor, at=self.at)
        refresh_member_metrics(members, at=self.at)
        for (place, order), sale_id in zip(fresh, sale_ids, strict=False):
            self.answers[place] = outcome_of(order=order, outcome="booked", sale_id=sale_id)
            if len(orders) <= MOST_ANNOUNCED:
                events.publish(SaleRecorded(sale_id, references.member(order) or 0))

    def _take_over(self, one: tuple[int, OrderDocument, Sale], references: References) -> bool:
        """The earlier revision gives way, unless more of it came back than the correction leaves."""
        place, order, old = one
        row = Sale.objects.lock(old.pk)
        if not row.is_current or row.member_id != old.member_id:
            raise Again
        if not _fits_returns(row, order):
            self.answers[place] = CorrectedBelowReturned(field="lines")
            return False
        row.is_current = row.is_first = False
        row.save(update_fields=["is_current", "is_first"])
        if row.member_id != references.member(order):
            withdraw_rewards(row, actor=self.actor, at=self.at)
        for name in REWARD_COLUMNS:
            setattr(old, name, getattr(row, name))
        return True

    def _keep_decision(self, old: Sale, sale_id: int) -> None:
        """What a person decided about the order stays decided when the order is corrected."""
        made = Attribution.objects.live().filter(sale=old).exclude(reason="").first()
        if made is None:
            return
        Attribution.objects.live().filter(sale_id=sale_id).update(ended_at=self.at)
        kept = Attribution.objects.create(
            sale_id=sale_id, rule=None, rule_words=made.rule_words, made_at=made.made_at, made_by=made.made_by,
            reason=made.reason,
        )  # fmt: skip
        for share in AttributionShare.objects.filter(attribution=made).order_by("place"):
            AttributionShare.objects.create(
                attribution=kept, place=share.place, role=share.role, guide_id=share.guide_id,
                store_id=share.store_id, share_bp=share.share_bp,
            )  # fmt: skip


class Again(Exception):
    """Somebody else is at the same order: the batch is looked at again from the beginning."""


def lock_known_members(*, members: Iterable[int | None]) -> None:
    """The members that documents name are locked, before anything that hangs on them. Raises Again for one who was
    merged since she was looked up: the next look finds the row she lives on in."""
    known = {member_id for member_id in members if member_id is not None}
    member_services.lock_members(known)
    targets = member_selectors.list_merge_targets(known)
    if any(targets.get(member_id) != member_id for member_id in known):
        raise Again


def outcome_of(*, order: OrderDocument, outcome: str, sale_id: int) -> DocumentOutcome:
    """The answer for an order that is in the books."""
    return DocumentOutcome("order", order.source, order.order_no, outcome, sale_id=sale_id)  # type: ignore[arg-type]


def decide_all(
    *,
    orders: Sequence[OrderDocument],
    references: References,
    rules: Sequence[RuleTerms] | None = None,
    at: dt.datetime,
) -> list[Decision]:
    """Whose each order is, by the rules of now (where somebody has looked: `rules`) and by bindings and postings of the
    moment it was sold; a till's clock that runs ahead does not reach into tomorrow."""
    rules = active_rules() if rules is None else rules
    named = [references.guide(order, order.sharing_guide) for order in orders]
    sharing = sharing_guides(
        [
            (None if one is None else one.guide_id, order.sold_at)
            for one, order in zip(named, orders, strict=True)
        ]
    )
    exclusives = exclusive_guides([(references.member(order), order.sold_at) for order in orders])
    return [
        decide(
            rules=rules,
            situation=Situation(
                store=references.store(order),
                channel=order.channel,
                business_on=day_of(min(order.sold_at, at)),
                serving=references.guide(order, order.serving_guide),
                exclusive=exclusive,
                sharing=shared,
                brands=references.brands(order),
            ),
        )
        for order, exclusive, shared in zip(orders, exclusives, sharing, strict=True)
    ]


def active_rules() -> tuple[RuleTerms, ...]:
    """The rules in their order."""
    return tuple(map(terms_of_rule, AttributionRule.objects.active().order_by("position")))


def terms_of_rule(rule: AttributionRule) -> RuleTerms:
    """A rule's row as `decide` needs it."""
    parts = (
        ("serving", rule.serving_bp),
        ("exclusive", rule.exclusive_bp),
        ("sharing", rule.sharing_bp),
        ("store", rule.store_bp),
    )
    return RuleTerms(
        id=rule.pk,
        position=rule.position,
        name=rule.name,
        region_ids=frozenset(rule.region_ids),
        dealer_ids=frozenset(rule.dealer_ids),
        channels=frozenset(rule.channels),
        starts_on=rule.starts_on,
        ends_on=rule.ends_on,
        parts=tuple((role, part) for role, part in parts if part),  # type: ignore[misc]
        crosses_owners=rule.crosses_owners,
        brands=frozenset(rule.brands),
    )


def _known(orders: Sequence[Numbered]) -> dict[tuple[str, str], Sale]:
    asked = {(order.source, order.order_no) for _place, order in orders}
    rows = Sale.objects.current().filter(
        source__in={source for source, _no in asked}, order_no__in={order_no for _source, order_no in asked}
    )
    return {key: row for row in rows if (key := (row.source, row.order_no)) in asked}


def _fits_returns(old: Sale, order: OrderDocument) -> bool:
    if old.returned_unit_count == 0:
        return True
    gone = {line.number: line for line in old.lines.all() if line.returned_quantity}
    for number, line in gone.items():
        if number > len(order.lines):
            return False
        new = order.lines[number - 1]
        if new.quantity < line.returned_quantity or new.amount_fen < line.returned_fen:
            return False
    return True


def _bring_returns(old: Sale, sale_id: int) -> None:
    """Returns follow to the new revision, with the counts on its lines."""
    SaleReturn.objects.filter(sale=old).update(sale_id=sale_id)
    gone: dict[int, list[int]] = {}
    back = SaleReturnLine.objects.filter(sale_return__sale_id=sale_id)
    for number, quantity, amount in back.values_list("sale_line_number", "quantity", "amount_fen"):
        sums = gone.setdefault(number or 0, [0, 0])
        sums[0] += quantity
        sums[1] += amount
    for number, (quantity, amount) in gone.items():
        SaleLine.objects.filter(sale_id=sale_id, number=number).update(
            returned_quantity=quantity, returned_fen=amount
        )
    Sale.objects.filter(pk=sale_id).update(
        returned_unit_count=sum(one[0] for one in gone.values()),
        returned_fen=sum(one[1] for one in gone.values()),
    )
