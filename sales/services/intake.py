"""The door of every order and return, whoever tells it: one by one, in batches, from files."""

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from django.db import IntegrityError, OperationalError, transaction

from core import clock
from core.actor import Actor
from core.constraints import is_deadlock, violated
from core.errors import Conflict, Refusal
from sales.contracts import DocumentOutcome, OrderDocument, ReturnDocument
from sales.services.booking import MOST_ANNOUNCED, Again, Booking, outcome_of
from sales.services.bulk import book_in_bulk, is_plain
from sales.services.held import (
    HELD_FOR,
    Document,
    due_documents,
    hold_documents,
    kind_of,
    note_try,
    number_of,
    settle_held,
    waiting_returns,
)
from sales.services.looking import FEW
from sales.services.reading import digest_of_order, usable_order, usable_return
from sales.services.returning import Returning

_ATTEMPTS: Final = 6
# Documents that are booked one by one in one transaction: what they lock is held until the last of them is there.
_PART: Final = FEW
# Whoever meets one of these looked before another transaction's rows were there.
_RACES: Final = frozenset(
    {"sale_one_current_per_order", "sale_revision_once", "salereturn_once", "attribution_one_live_per_sale"}
)
Answers = dict[int, DocumentOutcome | Refusal]
D = TypeVar("D", OrderDocument, ReturnDocument)
_Engine = type[Booking] | type[Returning]


def record_sale(*, order: OrderDocument, actor: Actor, at: dt.datetime | None = None) -> DocumentOutcome:
    """The order is booked: its rows, whose it is, the ledger with its totals, points, tier and coupons, in one
    transaction. The same document again gets the same answer.

    A document that names an unknown store, guide or member, or conflicts with what is booked, is held. Raises
    DocumentUnusable, AmountsDisagree or FromTheFuture for one that cannot be read.
    """
    at = at or clock.now()
    return record_documents(documents=[usable_order(order, at=at)], actor=actor, at=at)[0]


def record_return(*, given: ReturnDocument, actor: Actor, at: dt.datetime | None = None) -> DocumentOutcome:
    """The return is booked, or held until its order comes. Raises as `record_sale`."""
    at = at or clock.now()
    return record_documents(documents=[usable_return(given, at=at)], actor=actor, at=at)[0]


def record_documents(
    *, documents: Sequence[Document], actor: Actor, at: dt.datetime | None = None
) -> tuple[DocumentOutcome, ...]:
    """Each document is booked, found again, held or refused by itself; one answer for each, in their order.

    Plain orders are booked together, then those with coupons, and what is left, in parts of some documents: each in a
    transaction of its own (or inside the caller's), so that nobody waits long for its members. Orders come before returns;
    of one number the lowest revision comes first. When a part fails, those before it are booked: the same documents again
    answer so.
    """
    at = at or clock.now()
    answers: Answers = {}
    usable: dict[int, Document] = {}
    for place, document in enumerate(documents):
        try:
            usable[place] = _usable(document, at)
        except Refusal as refusal:
            answers[place] = refusal
    orders = [(place, one) for place, one in usable.items() if isinstance(one, OrderDocument)]
    answers |= _book_together(orders, actor, at)
    for part in _parts([one for one in orders if one[0] not in answers]):
        if len(orders) > _PART:
            answers |= _book_together(part, actor, at)
        if left := [one for one in part if one[0] not in answers]:
            answers |= _in_turn(functools.partial(_book_part, Booking, left, actor, at))
    returns = [(place, one) for place, one in usable.items() if isinstance(one, ReturnDocument)]
    for back in _parts(returns):
        answers |= _in_turn(functools.partial(_book_part, Returning, back, actor, at))
    return tuple(_told(documents[place], answers[place]) for place in range(len(documents)))


def retry_documents(
    *, documents: Sequence[Document], actor: Actor, at: dt.datetime | None = None
) -> tuple[DocumentOutcome, ...]:
    """Held documents are tried again; those that can be booked now are."""
    at = at or clock.now()
    outcomes = record_documents(documents=documents, actor=actor, at=at)
    # What is held again has its try counted by that.
    note_try([one for one, told in zip(documents, outcomes, strict=True) if told.outcome == "refused"], at=at)
    return outcomes


def retry_held_documents(*, limit: int = 500, actor: Actor, at: dt.datetime | None = None) -> int:
    """What something may have mended since is tried again; how many were booked."""
    at = at or clock.now()
    due = due_documents(limit=limit, at=at)
    outcomes = retry_documents(documents=due, actor=actor, at=at) if due else ()
    return sum(told.outcome not in ("held", "refused") for told in outcomes)


def _usable(document: Document, at: dt.datetime) -> Document:
    if isinstance(document, OrderDocument):
        return usable_order(document, at=at)
    return usable_return(document, at=at)


def _in_turn(book: Callable[[], Answers]) -> Answers:
    """The answers of a transaction, which looks again when somebody else was at the same orders or members."""
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                return book()
        except Again:
            continue
        except IntegrityError as error:
            if violated(error) not in _RACES:
                raise
        except OperationalError as error:
            # Whoever locks in our order meets nobody in a ring; others may, and PostgreSQL ends one of the two.
            if not is_deadlock(error):
                raise
    raise Conflict


def _book_together(orders: Sequence[tuple[int, OrderDocument]], actor: Actor, at: dt.datetime) -> Answers:
    """The plain ones of them, in one transaction."""
    if not any(is_plain(order, among=len(orders)) for _place, order in orders):
        return {}
    return _in_turn(lambda: _book_plain(orders, actor, at))


def _book_plain(orders: Sequence[tuple[int, OrderDocument]], actor: Actor, at: dt.datetime) -> Answers:
    told = book_in_bulk(
        orders=[order for _place, order in orders],
        digests=[digest_of_order(order) for _place, order in orders],
        announces=len(orders) <= MOST_ANNOUNCED,
        actor=actor,
        at=at,
    )
    if told.awaited:
        _book_waiting(told.awaited, actor, at)
    answers: Answers = {}
    for outcome, sales in (("booked", told.booked), ("repeated", told.repeated)):
        for which, sale_id in sales.items():
            place, order = orders[which]
            answers[place] = outcome_of(order=order, outcome=outcome, sale_id=sale_id)
    return answers


def _book_part(
    engine: _Engine, numbered: Sequence[tuple[int, Any]], actor: Actor, at: dt.datetime
) -> Answers:
    answers = engine(actor=actor, at=at).book(numbered)
    by_place = dict(numbered)
    hold_documents(
        [(by_place[place], told) for place, told in sorted(answers.items()) if isinstance(told, HELD_FOR)],
        at=at,
    )
    settle_held(
        [by_place[place] for place, told in answers.items() if isinstance(told, DocumentOutcome)],
        actor=actor,
        at=at,
    )
    booked = [
        (told.source, told.number)
        for told in answers.values()
        if isinstance(told, DocumentOutcome)
        and told.kind == "order"
        and told.outcome in ("booked", "corrected")
    ]
    if booked:
        _book_waiting(booked, actor, at)
    return answers


def _book_waiting(orders: Iterable[tuple[str, str]], actor: Actor, at: dt.datetime) -> None:
    """Returns that came before their orders are booked with them."""
    waiting = list(enumerate(waiting_returns(orders)))
    by_place = dict(waiting)
    for wave in _waves(waiting):
        told = Returning(actor=actor, at=at).book(wave)
        settle_held(
            [by_place[place] for place, one in told.items() if isinstance(one, DocumentOutcome)],
            actor=actor,
            at=at,
        )
        hold_documents(
            [(by_place[place], one) for place, one in told.items() if isinstance(one, HELD_FOR)], at=at
        )


def _parts(numbered: Sequence[tuple[int, D]]) -> Iterator[list[tuple[int, D]]]:
    """What is booked in one transaction after the other."""
    for wave in _waves(numbered):
        for start in range(0, len(wave), _PART):
            yield wave[start : start + _PART]


def _waves(numbered: Sequence[tuple[int, D]]) -> list[list[tuple[int, D]]]:
    """Of one number each wave has one document: the lowest revision first, then as they came."""
    waves: list[list[tuple[int, D]]] = []
    seen: dict[tuple[str, str], int] = {}
    ordered = sorted(numbered, key=lambda one: (getattr(one[1], "revision", 0), one[0]))
    for place, document in ordered:
        key = (document.source, number_of(document))
        wave = seen.get(key, 0)
        seen[key] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append((place, document))
    return waves


def _told(document: Document, answer: DocumentOutcome | Refusal) -> DocumentOutcome:
    if isinstance(answer, DocumentOutcome):
        return answer
    return DocumentOutcome(
        kind_of(document),  # type: ignore[arg-type]
        document.source,
        number_of(document),
        "held" if isinstance(answer, HELD_FOR) else "refused",
        reason=answer.code,
        field=str(answer.details.get("field", "")),
    )
