"""Products and categories under the codes that documents name them by."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from openapi.api import KeyView, StrictInput, StrictText
from openapi.errors import ChainOnly
from openapi.schema import ONCE, WRITES, documented
from sales import errors
from sales import services as sale_services
from sales.contracts import CatalogOutcome, CategoryEntry, ProductEntry

_MOST: Final = 1_000
_WORDS: Final = (
    "Each is made or changed; those that say what is known already change nothing. Only for keys of the whole chain. Orders "
    "make what they name and nobody told."
)


class CategoryEntryIn(StrictInput):
    code = StrictText(max_length=40)
    name = StrictText(max_length=60)


class CategoriesIn(StrictInput):
    categories = serializers.ListField(child=CategoryEntryIn(), min_length=1, max_length=_MOST)


class ProductEntryIn(StrictInput):
    code = StrictText(max_length=40)
    name = StrictText(max_length=80)
    category = StrictText(required=False, default="", allow_blank=True, max_length=40)
    brand = StrictText(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="rules of attribution may name it; absent: as it was",
    )


class ProductsIn(StrictInput):
    products = serializers.ListField(child=ProductEntryIn(), min_length=1, max_length=_MOST)


class CatalogOut(serializers.Serializer[Any]):
    """How many were new, changed, and the same as before."""

    created_count = serializers.IntegerField()
    changed_count = serializers.IntegerField()
    same_count = serializers.IntegerField()


_EXAMPLE: Final = {"created_count": 1, "changed_count": 0, "same_count": 0}


class _CatalogView(KeyView):
    scope = "sales:write"

    def check_chain(self) -> None:
        if self.client.store_id is not None or self.client.dealer_id is not None:
            raise ChainOnly


class CategoriesView(_CatalogView):
    """`POST sales/categories`"""

    @documented(
        summary="Tell categories / 登记类目",
        words=_WORDS,
        headers=WRITES,
        body=CategoriesIn,
        body_example={"categories": [{"code": "shirts", "name": "衬衫"}]},
        answer=CatalogOut,
        example=_EXAMPLE,
        refuses=(*ONCE, ChainOnly, errors.DocumentUnusable),
    )
    def post(self, request: Request) -> Response:
        self.check_chain()
        entries = [CategoryEntry(one["code"], one["name"]) for one in self.read(CategoriesIn)["categories"]]
        return self.write(
            lambda _name: _show(sale_services.upsert_categories(entries=entries, actor=self.actor))
        )


class ProductsView(_CatalogView):
    """`POST sales/products`"""

    @documented(
        summary="Tell products / 登记商品",
        words=_WORDS,
        headers=WRITES,
        body=ProductsIn,
        body_example={
            "products": [{"code": "SH-2207", "name": "真丝衬衫", "category": "shirts", "brand": "SUYI"}]
        },
        answer=CatalogOut,
        example=_EXAMPLE,
        refuses=(*ONCE, ChainOnly, errors.DocumentUnusable),
    )
    def post(self, request: Request) -> Response:
        self.check_chain()
        entries = [
            ProductEntry(one["code"], one["name"], one["category"], one.get("brand"))
            for one in self.read(ProductsIn)["products"]
        ]
        return self.write(
            lambda _name: _show(sale_services.upsert_products(entries=entries, actor=self.actor))
        )


def _show(outcome: CatalogOutcome) -> dict[str, Any]:
    return {
        "created_count": outcome.created_count,
        "changed_count": outcome.changed_count,
        "same_count": outcome.same_count,
    }
