"""What the codes of a batch of documents stand for, looked up together."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuidePlace, StorePlace
from members import selectors as member_selectors
from sales.contracts import MemberKey, OrderDocument, ReturnDocument
from sales.errors import UnknownGuide, UnknownMember, UnknownStore
from sales.models import Category, Product
from sales.selectors.aliases import list_guide_aliases, list_member_aliases, list_store_aliases

Document = OrderDocument | ReturnDocument


class References:
    """Stores, guides and members that a batch names. Products are made when they are new."""

    def __init__(self, documents: Sequence[Document]) -> None:
        guides = {number for document in documents for number in _named_guides(document) if number}
        self._stores, self._guides = guide_selectors.list_named_places(
            codes=(document.store_code for document in documents), numbers=guides
        )
        self._members: dict[tuple[str, str, str], int] = member_selectors.list_member_ids_by_keys(
            _key(document.member) for document in documents if document.member is not None
        )
        self._products: dict[str, tuple[int, str]] = {}
        # What nobody has by its own name may have been given a meaning; a batch without such names asks nothing.
        self._store_aliases = list_store_aliases(
            (one.source, one.store_code) for one in documents if one.store_code not in self._stores
        )
        self._guide_aliases = list_guide_aliases(
            (one.source, number)
            for one in documents
            for number in _named_guides(one)
            if number and number not in self._guides
        )
        self._member_aliases = list_member_aliases(
            (one.source, one.member)
            for one in documents
            if one.member is not None and _key(one.member) not in self._members
        )

    def knows(self, document: Document) -> bool:
        """Whether `check` raises nothing."""
        source = document.source
        store_code, member = document.store_code, document.member
        return (
            (store_code in self._stores or (source, store_code) in self._store_aliases)
            and all(
                number in self._guides or (source, number) in self._guide_aliases
                for number in _named_guides(document)
                if number
            )
            and (member is None or _key(member) in self._members or (source, member) in self._member_aliases)
        )

    def check(self, document: Document) -> None:
        """Raises UnknownStore, UnknownGuide or UnknownMember for the first name that nobody has."""
        source = document.source
        if (
            document.store_code not in self._stores
            and (source, document.store_code) not in self._store_aliases
        ):
            raise UnknownStore(field="store_code", value=document.store_code)
        for field, number in _numbers(document).items():
            if number and self.guide(document, number) is None:
                raise UnknownGuide(field=field, value=number)
        member = document.member
        if member is None or _key(member) in self._members or (source, member) in self._member_aliases:
            return
        raise UnknownMember(field="member")

    def store(self, document: Document) -> StorePlace:
        found = self._stores.get(document.store_code)
        return found or self._store_aliases[(document.source, document.store_code)]

    def guide(self, document: Document, number: str) -> GuidePlace | None:
        found = self._guides.get(number)
        return self._guide_aliases.get((document.source, number)) if found is None else found

    def guides(self, order: OrderDocument) -> tuple[GuidePlace | None, GuidePlace | None]:
        """Who served, and who shared."""
        serving, sharing = order.serving_guide, order.sharing_guide
        return (
            self.guide(order, serving) if serving else None,
            self.guide(order, sharing) if sharing else None,
        )

    def member(self, document: Document) -> int | None:
        if document.member is None:
            return None
        found = self._members.get(_key(document.member))
        return self._member_aliases[(document.source, document.member)] if found is None else found

    def product(self, code: str) -> int:
        return self._products[code][0]

    def brands(self, order: OrderDocument) -> frozenset[str]:
        """The brands of an order's goods, once its products are there."""
        return frozenset([self._products[line.product_code][1] for line in order.lines])

    def ensure_products(
        self,
        documents: Sequence[Document],
        *,
        at: dt.datetime,
        known: dict[str, tuple[int, str]] | None = None,
    ) -> None:
        """Every product and category the documents name has a row; new ones are made, in the order of their codes.
        `known` are row id and brand of those that are there, where somebody has looked.

        Two batches that make the same rows at once do not wait for each other in a ring: both insert in one order.
        """
        codes = {line.product_code for document in documents for line in document.lines}
        self._products = _known_products(codes) if known is None else known
        missing = sorted(codes - self._products.keys())
        if not missing:
            return
        names = _names_of(documents)
        categories = _category_ids(
            {code: title for _n, code, title in (names[one] for one in missing) if code}
        )
        Product.objects.bulk_create(
            [
                Product(
                    code=code, name=names[code][0], category_id=categories.get(names[code][1]), created_at=at
                )
                for code in missing
            ],
            ignore_conflicts=True,
        )
        self._products = _known_products(codes)


def _names_of(documents: Sequence[Document]) -> dict[str, tuple[str, str, str]]:
    """What the documents call each product, with its category's code and name: the first that says something."""
    names: dict[str, tuple[str, str, str]] = {}
    for document in documents:
        for line in document.lines:
            category = getattr(line, "category_code", "")
            known = names.get(line.product_code, ("", "", ""))
            names[line.product_code] = (
                known[0] or line.product_name,
                known[1] or category,
                known[2] or getattr(line, "category_name", ""),
            )
    return names


def exclusive_guides(asked: Sequence[tuple[int | None, dt.datetime]]) -> list[GuidePlace | None]:
    """Whose member each was at that instant; None for nobody's and for documents without a member."""
    known = [(member_id, at) for member_id, at in asked if member_id is not None]
    found = iter(guide_selectors.list_exclusive_guides(known))
    return [None if member_id is None else next(found) for member_id, _at in asked]


def sharing_guides(asked: Sequence[tuple[int | None, dt.datetime]]) -> list[GuidePlace | None]:
    """Those who shared (row ids), in the store where each worked at that instant; None for none."""
    known = [(guide_id, at) for guide_id, at in asked if guide_id is not None]
    found = iter(guide_selectors.list_guide_places_at(known))
    return [None if guide_id is None else next(found) for guide_id, _at in asked]


def day_of(moment: dt.datetime) -> dt.date:
    """The Shanghai business day."""
    return clock.business_day(moment)


def _numbers(document: Document) -> dict[str, str]:
    """The fields that name guides, and whom they name."""
    numbers = {"serving_guide": document.serving_guide}
    if isinstance(document, OrderDocument):
        numbers["sharing_guide"] = document.sharing_guide
    return numbers


def _named_guides(document: Document) -> tuple[str, ...]:
    serving = document.serving_guide
    return (serving, document.sharing_guide) if isinstance(document, OrderDocument) else (serving,)


def _key(member: MemberKey) -> tuple[str, str, str]:
    return (member.kind, member.app_id, member.value)


def _known_products(codes: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Row id and brand by code."""
    rows = Product.objects.filter(code__any_of=codes).values_list("code", "pk", "brand")
    return {code: (pk, brand) for code, pk, brand in rows}


def _category_ids(titles: dict[str, str]) -> dict[str, int]:
    known = dict(Category.objects.filter(code__any_of=titles).values_list("code", "pk"))
    missing = sorted(titles.keys() - known.keys())
    if not missing:
        return known
    Category.objects.bulk_create(
        [Category(code=code, name=titles[code]) for code in missing], ignore_conflicts=True
    )
    return dict(Category.objects.filter(code__any_of=titles).values_list("code", "pk"))


class Named(NamedTuple):
    """The names on a document."""

    store_code: str
    guides: tuple[str, ...]
    member: MemberKey | None


def are_known(named: Sequence[Named]) -> list[bool]:
    """Whether each document's store, guides and member are there."""
    stores, guides = guide_selectors.list_named_places(
        codes=(one.store_code for one in named), numbers=(number for one in named for number in one.guides)
    )
    members = member_selectors.list_member_ids_by_keys(
        _key(one.member) for one in named if one.member is not None
    )
    return [
        one.store_code in stores
        and all(number in guides for number in one.guides)
        and (one.member is None or _key(one.member) in members)
        for one in named
    ]
