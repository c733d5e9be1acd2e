"""Orders and returns are told: one by one, in batches; and one order is asked for, with whose it is and why."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput, Refusal
from members import selectors as member_selectors
from openapi import services
from openapi.api import KeyView, StrictInput, TillJsonParser
from openapi.errors import NoSuchStore, StoreMissing, VisitOver
from openapi.schema import ONCE, WRITES, documented
from openapi.views.sale_answers import SALE, SaleOut, SaleQuery, show_sale
from openapi.views.sale_documents import (
    ORDER_DOCUMENT,
    RETURN_DOCUMENT,
    OrderIn,
    SaleReturnIn,
    read_order,
    read_return,
)
from rest.views import body_of
from sales import errors
from sales import selectors as sale_selectors
from sales import services as sale_services
from sales.contracts import (
    DocumentOutcome,
    MemberKey,
    OrderDocument,
    ReturnDocument,
)

MOST_DOCUMENTS: Final = 1_000
_UNREADABLE: Final[tuple[type[Refusal], ...]] = (
    errors.DocumentUnusable,
    errors.AmountsDisagree,
    errors.FromTheFuture,
)
_HELD: Final[tuple[type[Refusal], ...]] = (
    errors.UnknownStore, errors.UnknownGuide, errors.UnknownMember, errors.UnknownOrder, errors.ReturnTooLarge,
    errors.DocumentConflict, errors.CorrectedBelowReturned,
)  # fmt: skip
_WORDS: Final = {kind.code: kind.sentence for kind in (*_HELD, *_UNREADABLE)}
_OUTCOMES: Final = ("booked", "repeated", "corrected", "superseded", "held", "refused")
_OUTCOME_WORDS: Final = (
    "booked: counted; repeated: it was there already; corrected: a higher revision took its place; superseded: a higher "
    "revision was there; held: kept with its reason and booked by itself when that is mended"
)
_BOOKED: Final[dict[str, Any]] = {
    "kind": "order", "number": "20261121-0042", "outcome": "booked", "code": "", "field": "", "message": "",
}  # fmt: skip


class OutcomeOut(serializers.Serializer[Any]):
    """What became of one document. `code` and `field` say why it is held or refused."""

    kind = serializers.ChoiceField(choices=("order", "return"))
    number = serializers.CharField(allow_blank=True, help_text="the order's or the return's own")
    outcome = serializers.ChoiceField(choices=_OUTCOMES, help_text=_OUTCOME_WORDS)
    code = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True, help_text="Chinese, for people")


class BatchIn(StrictInput):
    """Orders and returns in any order; each has `kind` beside the fields of its own endpoint."""

    documents = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=MOST_DOCUMENTS,
        help_text="see OrderIn, SaleReturnIn",
    )


class BatchOut(serializers.Serializer[Any]):
    """One result for each document, in their order."""

    booked_count = serializers.IntegerField(help_text="booked or corrected")
    held_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    results = OutcomeOut(many=True)


class BatchParser(TillJsonParser):
    """A thousand documents with their lines."""

    largest = 4 * 1024 * 1024


class _DocumentView(KeyView):
    scope = "sales:write"

    def order_of(self, given: Any) -> OrderDocument:
        member = None
        if isinstance(given, Mapping) and "visit" in given:
            given = dict(given)
            visit = given.pop("visit")
            if given.get("member") is not None or not isinstance(visit, str):
                raise errors.DocumentUnusable(field="visit")
            member_id = services.open_visit(caller=self.client, visit=visit)
            member = MemberKey("member_code", member_selectors.get_member_card(member_id).code)
        source, own = self.client.source, self.own_store
        order = read_order(given, source=source, store=own, member=member)
        self.check_store(order.store_code)
        if order.revision and not self.may_correct(order.order_no):
            raise errors.NoSuchSale
        return order

    def return_of(self, given: Any) -> ReturnDocument:
        document = read_return(given, source=self.client.source, store=self.own_store)
        self.check_store(document.store_code)
        return document

    @functools.cached_property
    def own_store(self) -> str:
        return services.store_code_of(caller=self.client)

    @functools.cached_property
    def _known_stores(self) -> dict[str, bool]:
        """Whether each store that was asked for is the key's."""
        return {self.own_store: True}

    def check_store(self, code: str) -> None:
        """A till of one store tells nothing for another. Raises StoreMissing, NoSuchStore."""
        if not code:
            raise StoreMissing(field="store")
        known = self._known_stores
        if code not in known:
            known[code] = services.may_act_for(caller=self.client, code=code)
        if not known[code]:
            raise NoSuchStore(field="store")

    def may_correct(self, order_no: str) -> bool:
        """Whether the order that a revision would replace is the key's own, or not there yet."""
        told = sale_selectors.list_order_stores(source=self.client.source, order_nos=[order_no])
        return all(services.owns_store(caller=self.client, store_id=store_id) for store_id in told.values())


class SaleOrderView(_DocumentView):
    """`POST sales/orders` and `GET sales/orders`"""

    def scope_of(self, request: Request) -> str:
        return "sales:read" if request.method == "GET" else self.scope

    @documented(
        summary="Tell an order / 推送销售单",
        words=(
            "Booked in one step: whose it is, the guides' numbers, points, tier, coupons. The key's source and the order "
            "number make it one order, whoever repeats it; a higher revision corrects it. What names an unknown guide, "
            "member or (for keys of the chain) store, or differs from what is booked, is kept and answered as held."
        ),
        headers=WRITES,
        body=OrderIn,
        body_example=ORDER_DOCUMENT,
        answer=OutcomeOut,
        example=_BOOKED,
        refuses=(*ONCE, *_UNREADABLE, NoSuchStore, StoreMissing, VisitOver, errors.NoSuchSale),
    )
    def post(self, request: Request) -> Response:
        order = self.order_of(request.data)
        return self.write(
            lambda _name: show_outcome(sale_services.record_sale(order=order, actor=self.actor)), waits=True
        )

    @documented(
        summary="An order and whose it is / 查询销售单",
        words="The current revision under the key's source, what is left of it, and whose it is with the reason.",
        query=SaleQuery,
        answer=SaleOut,
        example=SALE,
        refuses=(errors.NoSuchSale,),
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(SaleQuery)
        source = self.client.source
        told = sale_selectors.find_told_order(source=source, order_no=given["order_no"])
        if told is not None and services.owns_store(caller=self.client, store_id=told.store_id):
            return Response(show_sale(sale_selectors.get_sale_card(told.sale_id), told))
        waiting = sale_selectors.find_waiting_order(source=source, order_no=given["order_no"])
        if told is None and waiting is not None and services.may_act_for(caller=self.client, code=waiting[1]):
            raise errors.NoSuchSale(held_for=waiting[0])
        raise errors.NoSuchSale


class SaleReturnView(_DocumentView):
    """`POST sales/returns`"""

    @documented(
        summary="Tell a return / 推送退货单",
        words=(
            "Whole or in parts, in the store of the order or in another. A return that comes before its order is held and "
            "booked with it; more than was bought is held for a person."
        ),
        headers=WRITES,
        body=SaleReturnIn,
        body_example=RETURN_DOCUMENT,
        answer=OutcomeOut,
        example=_BOOKED | {"kind": "return", "number": "20261122-R007"},
        refuses=(*ONCE, *_UNREADABLE, NoSuchStore, StoreMissing),
    )
    def post(self, request: Request) -> Response:
        given = self.return_of(request.data)
        return self.write(
            lambda _name: show_outcome(sale_services.record_return(given=given, actor=self.actor)), waits=True
        )


class SaleBatchView(_DocumentView):
    """`POST sales/documents`"""

    parser_classes = (BatchParser,)

    @documented(
        summary="Tell up to 1,000 documents / 批量推送",
        words=(
            "Orders come before returns. Each is booked, held or refused by itself; one that was told before is repeated, "
            "so the batch needs no Idempotency-Key and is sent again as it is. At most 4 MiB."
        ),
        body=BatchIn,
        body_example={
            "documents": [{"kind": "order", **ORDER_DOCUMENT}, {"kind": "return", **RETURN_DOCUMENT}]
        },
        answer=BatchOut,
        example={
            "booked_count": 1,
            "held_count": 1,
            "refused_count": 0,
            "results": [
                _BOOKED,
                {
                    "kind": "return",
                    "number": "20261122-R007",
                    "outcome": "held",
                    "code": "sales.unknown_order",
                    "field": "order_no",
                    "message": "原订单还没有收到，收到后会自动入账",
                },
            ],
        },
    )
    def post(self, request: Request) -> Response:
        given = self._given(request.data)
        results: list[dict[str, Any]] = []
        places: list[int] = []
        documents: list[OrderDocument | ReturnDocument] = []
        for place, one in enumerate(given):
            results.append({})
            try:
                documents.append(self._document_of(one))
                places.append(place)
            except Refusal as refusal:
                results[place] = self._refused(one, refusal)
        told = sale_services.record_documents(documents=documents, actor=self.actor) if documents else ()
        for place, outcome in zip(places, told, strict=True):
            results[place] = show_outcome(outcome)
        return Response(
            {
                "booked_count": sum(one["outcome"] in ("booked", "corrected") for one in results),
                "held_count": sum(one["outcome"] == "held" for one in results),
                "refused_count": sum(one["outcome"] == "refused" for one in results),
                "results": results,
            }
        )

    def _given(self, body: Any) -> list[Any]:
        given = body.get("documents")
        if set(body) != {"documents"} or not isinstance(given, list):
            raise InvalidInput(fields={"documents": ["required"]})
        if not 1 <= len(given) <= MOST_DOCUMENTS:
            raise InvalidInput(fields={"documents": ["max_length" if given else "min_length"]})
        return given

    def _document_of(self, one: Any) -> OrderDocument | ReturnDocument:
        if not isinstance(one, Mapping):
            raise errors.DocumentUnusable(field="document")
        fields = {name: value for name, value in one.items() if name != "kind"}
        if one.get("kind") == "order":
            return self.order_of(fields)
        if one.get("kind") == "return":
            return self.return_of(fields)
        raise errors.DocumentUnusable(field="kind")

    def _refused(self, one: Any, refusal: Refusal) -> dict[str, Any]:
        """What is no fault of the document (the database is away) ends the request; nothing of it was booked."""
        if refusal.http_status >= 500:
            raise refusal
        is_return = isinstance(one, Mapping) and one.get("kind") == "return"
        number = one.get("return_no" if is_return else "order_no") if isinstance(one, Mapping) else ""
        body = body_of(refusal, api=self.api)
        return {
            "kind": "return" if is_return else "order",
            "number": number[:64] if isinstance(number, str) else "",
            "outcome": "refused",
            "code": body["code"],
            "field": str(refusal.details.get("field", "")),
            "message": body["message"],
        }


def show_outcome(told: DocumentOutcome) -> dict[str, Any]:
    return {
        "kind": told.kind,
        "number": told.number,
        "outcome": told.outcome,
        "code": told.reason,
        "field": told.field,
        "message": str(_WORDS.get(told.reason, "")),
    }
