"""Reads of `sales`."""

from sales.selectors.attribution import attribution_card_of, get_attribution, list_attributions

__all__ = ["attribution_card_of", "get_attribution", "list_attributions"]
