"""Reads of `sales`."""

from sales.selectors.attribution import attribution_card_of, get_attribution, list_attributions
from sales.selectors.boards import get_board, get_standing
from sales.selectors.effective import get_target_settings, list_effective_guides
from sales.selectors.rfm import (
    list_cells,
    list_group_months,
    list_groups,
    list_moves,
    preview_rules,
)
from sales.selectors.rfm_rules import get_rfm_rules
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
    "get_rfm_rules",
    "get_standing",
    "get_target_progress",
    "get_target_settings",
    "key_of_target",
    "list_attributions",
    "list_cells",
    "list_effective_guides",
    "list_group_months",
    "list_groups",
    "list_moves",
    "list_target_changes",
    "list_target_progress",
    "preview_rules",
    "span_before",
    "span_of",
]
