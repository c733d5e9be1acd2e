"""Plain orders, thousands in one transaction: what can be decided for all of them together.

Whatever is not plain (a correction, another content under a known number, an unknown name, a coupon or points it was
paid with, a return that waits for it) is told back and goes through `record_documents`: there is one truth, and this
is its short way. A member's orders keep their turn: behind one of hers that is not plain, none of hers is.
"""

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from core import events
from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import ActivityLine, EarningLine, PointsCredit
from sales.contracts import OrderDocument
from sales.events import SaleRecorded
from sales.models import EntryReason, HeldDocument, Sale
from sales.services.attributing import Decision
from sales.services.booking import Again, decide_all, lock_known_members
from sales.services.firsts import move_firsts
from sales.services.metrics import refresh_member_metrics
from sales.services.order_keys import order_key
from sales.services.reconciling import Counted, EntryWriter, reconcile_sales, share_close_lock, wanted_of
from sales.services.references import References, day_of
from sales.services.rewards import NO_REWARDS
from sales.services.writing import NewSale, write_decisions, write_sales

Key = tuple[str, str]
_NOBODY: Final = frozenset[Key]()
# Some ten thousand rows are looked up by their keys in tables that grow with every slice: what the planner takes for
# the price of a page from a disk of its own would make it read all of them instead.
_FEW: Final = 100
_LOOK_UP: Final = "SET LOCAL random_page_cost = 1.1"


@dataclasses.dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The sales (row ids, by the order's place) that were booked and that were in the books already; the places of
    orders that are not plain."""

    booked: Mapping[int, int]
    repeated: Mapping[int, int]
    apart: tuple[int, ...]


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
    if plain:
        slice_ = _Slice(
            [orders[place] for place in plain], [digests[place] for place in plain], references, actor, at
        )
        booked = dict(zip(plain, slice_.book(announces=announces), strict=True))
        if announces:
            for place, member_id in zip(plain, slice_.members, strict=True):
                events.publish(SaleRecorded(booked[place], member_id or 0))
    return BulkOutcome(booked, repeated, tuple(apart))


def is_plain(order: OrderDocument) -> bool:
    """Whether an order may be booked in bulk, by what it says: it is paid with neither coupons nor points."""
    return not order.coupons and not order.points_spent


def _sort_out(
    orders: Sequence[OrderDocument], digests: Sequence[bytes], references: References
) -> tuple[list[int], dict[int, int], list[int]]:
    known = _known(orders)
    waited_for = _waited_for(orders)
    plain: list[int] = []
    apart: list[int] = []
    repeated: dict[int, int] = {}
    # Of one number that comes several times the lowest revision goes first, wherever it stands.
    several = {key for key, count in Counter(map(_key, orders)).items() if count > 1}
    # Whose orders go one by one from here, in their turn. A correction may name somebody else: then it takes from
    # whoever had the order, and what she has behind it must not count before that.
    out_of_turn: set[int] = set()
    holders: dict[Key, int] = {}
    for place, order in enumerate(orders):
        key = _key(order)
        there = known.get(key)
        is_alone = key not in waited_for and key not in several
        if there is not None and there[:2] == (order.revision, digests[place]) and is_alone:
            repeated[place] = there[3]
            continue
        member_id = _member_of(order, references)
        if (
            there is None
            and is_alone
            and is_plain(order)
            and (member_id is None or member_id not in out_of_turn)
            and references.knows(order)
        ):
            plain.append(place)
        else:
            apart.append(place)
            had = holders.get(key) or (there[2] if there is not None else None)
            out_of_turn |= {one for one in (member_id, had) if one is not None}
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


def _known(orders: Sequence[OrderDocument]) -> dict[Key, tuple[int, bytes, int | None, int]]:
    """Revision, content, member and row of those orders that are in the books."""
    rows = Sale.objects.current().filter(
        source__in={order.source for order in orders}, order_no__any_of=[order.order_no for order in orders]
    )
    found = rows.values_list("source", "order_no", "revision", "digest", "member_id", "pk")
    return {
        (source, order_no): (revision, bytes(digest), member_id, pk)
        for source, order_no, revision, digest, member_id, pk in found
    }


def _waited_for(orders: Sequence[OrderDocument]) -> frozenset[Key] | set[Key]:
    """Orders that wait for a person, and those that returns wait for."""
    waiting = HeldDocument.objects.waiting()
    if not waiting.exists():
        return _NOBODY
    numbers = [order.order_no for order in orders]
    rows = waiting.filter(
        Q(kind="order", number__any_of=numbers) | Q(order_no__any_of=numbers),
        source__in={order.source for order in orders},
    )
    return {
        (source, order_no or number)
        for source, number, order_no in rows.values_list("source", "number", "order_no")
    }


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

    def book(self, *, announces: bool) -> list[int]:
        """The sales (row ids), in order. Members are locked first, then accounts and standings, then keys of orders;
        totals, which all share, follow later."""
        if len(self.orders) > _FEW:
            with connection.cursor() as cursor:
                cursor.execute(_LOOK_UP)
        self._lock()
        self.references.ensure_products(self.orders, at=self.at)
        firsts, unsure = self._firsts()
        rewards = self._reward(announces)
        sale_ids = write_sales(
            sales=[NewSale(*one) for one in zip(self.orders, self.digests, firsts, rewards, strict=True)],
            references=self.references,
            at=self.at,
        )
        moved = set(move_firsts(unsure))
        # A mark that moved is the opposite of what it was.
        firsts = [is_first != (sale_id in moved) for is_first, sale_id in zip(firsts, sale_ids, strict=True)]
        decisions = decide_all(orders=self.orders, references=self.references, at=self.at)
        write_decisions(sale_ids=sale_ids, decisions=decisions, at=self.at)
        self._enter(sale_ids, firsts, decisions)
        reconcile_sales(moved - set(sale_ids), reason=EntryReason.FIRST_MOVED, at=self.at)
        refresh_member_metrics(self.members, at=self.at)
        return sale_ids

    def _lock(self) -> None:
        known = {member_id for member_id in self.members if member_id is not None}
        lock_known_members(members=known)
        if member_selectors.living_member_ids().filter(pk__any_of=known).count() != len(known):
            raise Again  # erased since: the next look finds nobody under her key

    def _firsts(self) -> tuple[list[bool], list[int]]:
        """Which of the orders is her first for certain; members for whom the database is to say."""
        places = _places(self.members)
        before = dict(
            Sale.objects.current()
            .filter(member_id__any_of=places, is_first=True)
            .values_list("member_id", "sold_at")
        )
        firsts = [False] * len(self.orders)
        unsure = []
        for member_id, hers in places.items():
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
            quoted = member_selectors.quote_points_in_bulk(
                [
                    (self.members[place] or 0, _earning(self.orders[place]), self.orders[place].sold_at)
                    for place in turn
                ]
            )
            keys = [order_key(self.orders[place]) for place in turn]
            member_services.credit_points_in_bulk(
                given=[
                    PointsCredit(self.members[place] or 0, points, f"{key}:earned:1")
                    for place, key, points in zip(turn, keys, quoted, strict=True)
                    if points
                ],
                reason=reason,
                is_told=is_told,
                actor=self.actor,
                at=self.at,
            )
            member_services.record_activity_in_bulk(
                lines=[self._activity(place, key) for place, key in zip(turn, keys, strict=True)],
                is_told=is_told,
                actor=self.actor,
                at=self.at,
            )
            for place, points in zip(turn, quoted, strict=True):
                rewards[place] = (int(points > 0), 0, 1, points, self.orders[place].amount_fen, 1, 0, "")
            waiting = [hers[1:] for hers in waiting if len(hers) > 1]
        return rewards

    def _activity(self, place: int, key: str) -> ActivityLine:
        order = self.orders[place]
        return ActivityLine(
            self.members[place] or 0, self.days[place], order.amount_fen, 1, f"{key}:counted:1"
        )

    def _enter(self, sale_ids: Sequence[int], firsts: Sequence[bool], decisions: Sequence[Decision]) -> None:
        writer = EntryWriter(self.at, share_close_lock())
        for sale_id, order, day, member_id, is_first, decision in zip(
            sale_ids, self.orders, self.days, self.members, firsts, decisions, strict=True
        ):
            units = sum([line.quantity for line in order.lines])
            counted = Counted(day, order.amount_fen, units, member_id, is_first)
            for where, value in wanted_of(sale=counted, shares=decision.shares, returns=()).items():
                writer.add(where, value, EntryReason.SALE, sale_ref=sale_id)
        writer.write()


def _places(members: Iterable[int | None]) -> Mapping[int, list[int]]:
    """The places of each member, in order."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, member_id in enumerate(members):
        if member_id is not None:
            places[member_id].append(place)
    return places


def _earning(order: OrderDocument) -> list[EarningLine]:
    return [EarningLine(line.category_code, line.amount_fen) for line in order.lines]
