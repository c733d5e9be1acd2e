"""Plain orders, thousands in one transaction: what can be decided for all of them together.

Whatever is not plain (a correction, another content under a known number, an unknown name, points it was paid with, among
many also a coupon, a return that waits for it) is told back and goes through `record_documents`: there is one truth, and
this is its short way. A member's orders keep their turn: behind one of hers that is not plain, none of hers is.
"""

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from core import events
from core.actor import Actor
from members import services as member_services
from members.contracts import EarningLine, Purchase
from sales.contracts import OrderDocument
from sales.events import SaleRecorded
from sales.models import EntryReason
from sales.services.attributing import Decision
from sales.services.booking import Again, decide_all
from sales.services.copying import write_rows
from sales.services.firsts import move_firsts
from sales.services.looking import FEW, Key, look_before, look_last, look_under_locks
from sales.services.metrics import refresh_member_metrics
from sales.services.order_coupons import hold_coupons_of, redeem_coupons_of
from sales.services.order_keys import order_key
from sales.services.reconciling import Counted, EntryWriter, reconcile_sales, wanted_of
from sales.services.references import References, day_of
from sales.services.rewards import NO_REWARDS
from sales.services.writing import NewSale, rows_of_decisions, rows_of_sales


@dataclasses.dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The sales (row ids, by the order's place) that were booked and that were in the books already; the places of
    orders that are not plain; and which orders returns began to wait for meanwhile."""

    booked: Mapping[int, int]
    repeated: Mapping[int, int]
    apart: tuple[int, ...]
    awaited: Sequence[Key]


def book_in_bulk(
    *,
    orders: Sequence[OrderDocument],
    digests: Sequence[bytes],
    announces: bool = False,
    actor: Actor,
    at: dt.datetime,
) -> BulkOutcome:
    """The plain ones of these usable orders are booked, inside the caller's transaction: the same books as one by one.

    Without `announces` nothing is told of each order, in events or the audit trail: whoever listens to orders has a job
    that finds what is new. The totals of boards move at once where they are few, or follow by `fold_totals`. Raises
    Again or IntegrityError when somebody else was at one of the orders or members meanwhile: the caller rolls back and
    looks again.
    """
    references = References(orders)
    plain, repeated, apart = _sort_out(orders, digests, references)
    booked: dict[int, int] = {}
    awaited: list[Key] = []
    if plain:
        slice_ = _Slice(
            [orders[place] for place in plain], [digests[place] for place in plain], references, actor, at
        )
        sale_ids, awaited = slice_.book(announces=announces)
        booked = dict(zip(plain, sale_ids, strict=True))
        if announces:
            for place, member_id in zip(plain, slice_.members, strict=True):
                events.publish(SaleRecorded(booked[place], member_id or 0))
    return BulkOutcome(booked, repeated, tuple(apart), awaited)


def is_plain(order: OrderDocument, *, among: int) -> bool:
    """Whether an order may be booked in bulk, by what it says: it is not paid with points; nor, among so many that tills
    would wait for the coupons and their batches until the transaction is over, with coupons."""
    return not order.points_spent and (not order.coupons or among <= FEW)


def _sort_out(
    orders: Sequence[OrderDocument], digests: Sequence[bytes], references: References
) -> tuple[list[int], dict[int, int], list[int]]:
    known, awaited = look_before(orders)
    plain: list[int] = []
    apart: list[int] = []
    repeated: dict[int, int] = {}
    # Of one number that comes several times the lowest revision goes first, wherever it stands.
    several = {key for key, count in Counter(map(_key, orders)).items() if count > 1}
    # Whose orders go one by one from here, in their turn. A correction may name somebody else: then it takes from
    # whoever had the order, and what she has behind it must not count before that.
    out_of_turn: set[int] = set()
    # Of a coupon that several orders name, as well: the first has it.
    taken: set[str] = set()
    holders: dict[Key, int] = {}
    for place, order in enumerate(orders):
        key = _key(order)
        there = known.get(key)
        is_alone = key not in awaited and key not in several
        if (
            there is not None
            and (there.revision, there.digest) == (order.revision, digests[place])
            and is_alone
        ):
            repeated[place] = there.sale_id
            continue
        member_id = _member_of(order, references)
        if (
            there is None
            and is_alone
            and is_plain(order, among=len(orders))
            and (member_id is None or member_id not in out_of_turn)
            and taken.isdisjoint([coupon.code for coupon in order.coupons])
            and references.knows(order)
        ):
            plain.append(place)
        else:
            apart.append(place)
            had = holders.get(key) or (there.member_id if there is not None else None)
            out_of_turn |= {one for one in (member_id, had) if one is not None}
            taken |= {coupon.code for coupon in order.coupons}
        if member_id is not None:
            holders[key] = member_id
    return plain, repeated, apart


def _key(order: OrderDocument) -> Key:
    return order.source, order.order_no


def _member_of(order: OrderDocument, references: References) -> int | None:
    try:
        return references.member(order)
    except KeyError:
        return None


class _Slice:
    """Plain orders that become rows together."""

    def __init__(
        self,
        orders: Sequence[OrderDocument],
        digests: Sequence[bytes],
        references: References,
        actor: Actor,
        at: dt.datetime,
    ) -> None:
        self.orders = orders
        self.digests = digests
        self.references = references
        self.actor = actor
        self.at = at
        self.members = [references.member(order) for order in orders]
        self.days = [day_of(min(order.sold_at, at)) for order in orders]

    def book(self, *, announces: bool) -> tuple[list[int], list[Key]]:
        """The sales (row ids), in order, and those for which a return began to wait meanwhile. Members are locked first,
        then coupons, accounts and standings, then keys of orders; totals, which all share, follow last or later."""
        known = {member_id for member_id in self.members if member_id is not None}
        if known and not member_services.lock_living(known):
            raise Again  # merged or erased since: the next look finds whom her key means now
        hold_coupons_of(orders=self.orders)
        settled = look_under_locks(self.orders, member_ids=known)
        self.references.ensure_products(self.orders, at=self.at, known=settled.products)
        firsts, unsure = self._firsts(settled.first_sold)
        decisions = decide_all(
            orders=self.orders, references=self.references, rules=settled.rules, at=self.at
        )
        rewards = self._reward(announces)
        sales = [
            NewSale(*one)
            for one in zip(self.orders, self.digests, self.members, self.days, firsts, rewards, strict=True)
        ]
        sale_ids = settled.sale_ids
        write_rows(
            *rows_of_sales(sale_ids=sale_ids, sales=sales, references=self.references, at=self.at),
            *rows_of_decisions(
                ids=settled.attribution_ids, sale_ids=sale_ids, decisions=decisions, at=self.at
            ),
        )
        redeem_coupons_of(
            [sale_id for sale_id, order in zip(sale_ids, self.orders, strict=True) if order.coupons],
            actor=self.actor,
            at=self.at,
        )
        moved = set(move_firsts(unsure))
        # A mark that moved is the opposite of what it was.
        firsts = [is_first != (sale_id in moved) for is_first, sale_id in zip(firsts, sale_ids, strict=True)]
        awaited = self._enter(sale_ids, firsts, decisions)
        reconcile_sales(moved - set(sale_ids), reason=EntryReason.FIRST_MOVED, at=self.at)
        refresh_member_metrics(self.members, at=self.at)
        return sale_ids, awaited

    def _firsts(self, before: Mapping[int, dt.datetime]) -> tuple[list[bool], list[int]]:
        """Which of the orders is her first for certain; members for whom the database is to say."""
        firsts = [False] * len(self.orders)
        unsure = []
        for member_id, hers in _places(self.members).items():
            moments = sorted((self.orders[place].sold_at, place) for place in hers)
            known = before.get(member_id)
            if known is None and (len(moments) == 1 or moments[0][0] < moments[1][0]):
                firsts[moments[0][1]] = True
            elif known is None or moments[0][0] <= known:
                unsure.append(member_id)
        return firsts, unsure

    def _reward(self, is_told: bool) -> list[tuple[object, ...]]:
        """Points and activity in rounds, each member's next order in each: a tier reached by one counts for the next."""
        rewards: list[tuple[object, ...]] = [NO_REWARDS] * len(self.orders)
        waiting = list(_places(self.members).values())
        reason = _("购物获得")
        while waiting:
            turn = [hers[0] for hers in waiting]
            earned = member_services.reward_purchases(
                given=[self._purchase(place) for place in turn],
                reason=reason,
                is_told=is_told,
                actor=self.actor,
                at=self.at,
            )
            for place, points in zip(turn, earned, strict=True):
                rewards[place] = (int(points > 0), 0, 1, points, self.orders[place].amount_fen, 1, 0, "")
            waiting = [hers[1:] for hers in waiting if len(hers) > 1]
        return rewards

    def _purchase(self, place: int) -> Purchase:
        order, key = self.orders[place], order_key(self.orders[place])
        return Purchase(
            member_id=self.members[place] or 0,
            lines=[EarningLine(line.category_code, line.amount_fen) for line in order.lines],
            sold_at=order.sold_at,
            day=self.days[place],
            spend_fen=order.amount_fen,
            points_key=f"{key}:earned:1",
            activity_key=f"{key}:counted:1",
        )

    def _enter(
        self, sale_ids: Sequence[int], firsts: Sequence[bool], decisions: Sequence[Decision]
    ) -> list[Key]:
        closed, awaited = look_last(self.orders)
        writer = EntryWriter(self.at, closed)
        for sale_id, order, day, member_id, is_first, decision in zip(
            sale_ids, self.orders, self.days, self.members, firsts, decisions, strict=True
        ):
            units = sum([line.quantity for line in order.lines])
            counted = Counted(day, order.amount_fen, units, member_id, is_first)
            for where, value in wanted_of(sale=counted, shares=decision.shares, returns=()).items():
                writer.add(where, value, EntryReason.SALE, sale_ref=sale_id)
        writer.write()
        return awaited


def _places(members: Iterable[int | None]) -> Mapping[int, list[int]]:
    """The places of each member, in order."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, member_id in enumerate(members):
        if member_id is not None:
            places[member_id].append(place)
    return places
