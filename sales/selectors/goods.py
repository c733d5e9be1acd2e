"""What goods are called, and which are called so."""

from collections.abc import Collection

from django.db.models import Q

from sales.models import Product


def list_product_names(codes: Collection[str]) -> dict[str, str]:
    """Code → name, of those that exist; one without a name is called by its code."""
    rows = Product.objects.filter(code__in=list(codes)).values_list("code", "name")
    return {code: name or code for code, name in rows}


def find_product_codes(text: str, *, limit: int) -> list[str]:
    """Codes of the goods whose name or code has the text."""
    wanted = Q(name__icontains=text) | Q(code__icontains=text)
    return list(Product.objects.filter(wanted).order_by("code").values_list("code", flat=True)[:limit])
