"""What the codes of a batch of documents stand for, looked up together."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuidePlace, StorePlace
from members import selectors as member_selectors
from sales.contracts import MemberKey, OrderDocument, ReturnDocument
from sales.errors import UnknownGuide, UnknownMember, UnknownStore
from sales.models import Category, Product

Document = OrderDocument | ReturnDocument


class References:
    """Stores, guides and members that a batch names. Products are made when they are new."""

    def __init__(self, documents: Sequence[Document]) -> None:
        guides = {document.serving_guide for document in documents}
        guides |= {document.sharing_guide for document in documents if isinstance(document, OrderDocument)}
        self.stores = guide_selectors.list_stores_by_code(document.store_code for document in documents)
        self.guides = guide_selectors.list_guides_by_number(guides - {""})
        self._members = member_selectors.list_member_ids_by_keys(
            _key(document.member) for document in documents if document.member is not None
        )
        self._products: dict[str, int] = {}

    def check(self, document: Document) -> None:
        """Raises UnknownStore, UnknownGuide or UnknownMember for the first name that nobody has."""
        if document.store_code not in self.stores:
            raise UnknownStore(field="store_code", value=document.store_code)
        numbers = {"serving_guide": document.serving_guide}
        if isinstance(document, OrderDocument):
            numbers["sharing_guide"] = document.sharing_guide
        for field, number in numbers.items():
            if number and number not in self.guides:
                raise UnknownGuide(field=field, value=number)
        if document.member is not None and _key(document.member) not in self._members:
            raise UnknownMember(field="member")

    def store(self, document: Document) -> StorePlace:
        return self.stores[document.store_code]

    def guide(self, number: str) -> GuidePlace | None:
        return self.guides.get(number)

    def member(self, document: Document) -> int | None:
        return None if document.member is None else self._members[_key(document.member)]

    def product(self, code: str) -> int:
        return self._products[code]

    def ensure_products(self, documents: Sequence[Document], *, at: dt.datetime) -> None:
        """Every product and category the documents name has a row; new ones are made, in the order of their codes.

        Two batches that make the same rows at once do not wait for each other in a ring: both insert in one order.
        """
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
        self._products = _product_ids(names)
        missing = sorted(names.keys() - self._products.keys())
        if not missing:
            return
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
        self._products = _product_ids(names)


def exclusive_guides(asked: Sequence[tuple[int | None, dt.datetime]]) -> list[GuidePlace | None]:
    """Whose member each was at that instant; None for nobody's and for documents without a member."""
    known = [(member_id, at) for member_id, at in asked if member_id is not None]
    found = iter(guide_selectors.list_exclusive_guides(known))
    return [None if member_id is None else next(found) for member_id, _at in asked]


def day_of(moment: dt.datetime) -> dt.date:
    """The Shanghai business day."""
    return clock.business_day(moment)


def _key(member: MemberKey) -> tuple[str, str, str]:
    return (member.kind, member.app_id, member.value)


def _product_ids(codes: object) -> dict[str, int]:
    return dict(Product.objects.filter(code__in=list(codes)).values_list("code", "pk"))  # type: ignore[call-overload]


def _category_ids(titles: dict[str, str]) -> dict[str, int]:
    known = dict(Category.objects.filter(code__in=titles).values_list("code", "pk"))
    missing = sorted(titles.keys() - known.keys())
    if not missing:
        return known
    Category.objects.bulk_create(
        [Category(code=code, name=titles[code]) for code in missing], ignore_conflicts=True
    )
    return dict(Category.objects.filter(code__in=titles).values_list("code", "pk"))


class Named(NamedTuple):
    """The names on a document."""

    store_code: str
    guides: tuple[str, ...]
    member: MemberKey | None


def are_known(named: Sequence[Named]) -> list[bool]:
    """Whether each document's store, guides and member are there."""
    stores = guide_selectors.list_stores_by_code(one.store_code for one in named)
    guides = guide_selectors.list_guides_by_number({number for one in named for number in one.guides})
    members = member_selectors.list_member_ids_by_keys(
        _key(one.member) for one in named if one.member is not None
    )
    return [
        one.store_code in stores
        and all(number in guides for number in one.guides)
        and (one.member is None or _key(one.member) in members)
        for one in named
    ]
