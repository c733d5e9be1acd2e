"""Reads of `sales`."""

from sales.selectors.attribution import attribution_card_of, get_attribution, list_attributions
from sales.selectors.boards import get_board, get_standing
from sales.selectors.effective import get_target_settings, list_effective_guides
from sales.selectors.spans import add_months, cover, span_before, span_of
from sales.selectors.targets import (
    find_targets,
    get_target_progress,
    key_of_target,
    list_target_changes,
    list_target_progress,
)

__all__ = [
    "add_months",
    "attribution_card_of",
    "cover",
    "find_targets",
    "get_attribution",
    "get_board",
    "get_standing",
    "get_target_progress",
    "get_target_settings",
    "key_of_target",
    "list_attributions",
    "list_effective_guides",
    "list_target_changes",
    "list_target_progress",
    "span_before",
    "span_of",
]
