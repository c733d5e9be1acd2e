"""Reads of `sales`."""

from sales.selectors.attribution import attribution_card_of, get_attribution, list_attributions
from sales.selectors.boards import get_board, get_standing
from sales.selectors.spans import cover, span_before, span_of

__all__ = [
    "attribution_card_of",
    "cover",
    "get_attribution",
    "get_board",
    "get_standing",
    "list_attributions",
    "span_before",
    "span_of",
]
