"""What goods are called."""

from collections.abc import Collection

from sales.models import Product


def list_product_names(codes: Collection[str]) -> dict[str, str]:
    """Code → name, of those that exist; one without a name is called by its code."""
    rows = Product.objects.filter(code__in=list(codes)).values_list("code", "name")
    return {code: name or code for code, name in rows}
