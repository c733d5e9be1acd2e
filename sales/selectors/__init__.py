"""Reads of `sales`."""

from sales.selectors.attribution import (
    attribution_card_of,
    get_attribution,
    list_attributions,
    list_live_attributions,
)
from sales.selectors.boards import get_board, get_standing, get_thawed_board, list_thawed
from sales.selectors.commission import (
    SUMS,
    commission_card_of,
    count_commissions,
    count_draft_entries,
    get_commission,
    list_commissions,
    list_draft_lines,
    sum_commissions,
    try_commissions,
)
from sales.selectors.commission_months import list_commission_months, next_commission_month, state_of
from sales.selectors.commission_whose import PaidGuide, list_paid_guides
from sales.selectors.deals import find_sale_address, sum_deals
from sales.selectors.effective import get_target_settings, list_effective_guides
from sales.selectors.explained import (
    access_sale,
    find_current_sales,
    find_order_pages,
    get_sale_card,
    list_guide_sales,
    list_store_sales,
)
from sales.selectors.facts import describe_facts, list_guide_facts, list_store_facts
from sales.selectors.goods import find_product_codes, list_product_names
from sales.selectors.nine import get_nine, list_nine_members, nine_members
from sales.selectors.numbers import (
    get_ledger_version,
    list_closed_months,
    list_guide_periods,
    list_guide_store_periods,
    list_store_guides_numbers,
    list_store_periods,
    sum_guide,
    sum_guides,
    sum_store,
)
from sales.selectors.offered import count_kind, is_fact_metric, list_offered_metrics, offered_choices
from sales.selectors.own_orders import access_own_order, list_own_orders
from sales.selectors.portraits import find_portrait, list_visit_reasons
from sales.selectors.reviews import (
    access_member_review,
    count_open_reviews,
    list_member_reviews,
)
from sales.selectors.rfm import (
    due_members,
    falling_members,
    list_buyer_stages,
    list_category_names,
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
    list_targets_of,
    list_targets_progress,
)
from sales.selectors.told import find_told_order, find_waiting_order, list_order_stores

__all__ = [
    "SUMS",
    "PaidGuide",
    "access_member_review",
    "access_own_order",
    "access_sale",
    "add_months",
    "attribution_card_of",
    "commission_card_of",
    "count_commissions",
    "count_draft_entries",
    "count_kind",
    "count_open_reviews",
    "cover",
    "describe_facts",
    "due_member_ids",
    "due_members",
    "falling_member_ids",
    "falling_members",
    "find_current_sales",
    "find_order_pages",
    "find_portrait",
    "find_product_codes",
    "find_sale_address",
    "find_targets",
    "find_told_order",
    "find_waiting_order",
    "get_attribution",
    "get_board",
    "get_commission",
    "get_ledger_version",
    "get_nine",
    "get_rfm_rules",
    "get_sale_card",
    "get_standing",
    "get_target_progress",
    "get_target_settings",
    "get_thawed_board",
    "is_fact_metric",
    "key_of_target",
    "list_attributions",
    "list_buyer_stages",
    "list_category_names",
    "list_cells",
    "list_closed_months",
    "list_commission_months",
    "list_commissions",
    "list_draft_lines",
    "list_effective_guides",
    "list_group_months",
    "list_groups",
    "list_guide_facts",
    "list_guide_periods",
    "list_guide_sales",
    "list_guide_store_periods",
    "list_live_attributions",
    "list_member_reviews",
    "list_moves",
    "list_nine_members",
    "list_offered_metrics",
    "list_order_stores",
    "list_own_orders",
    "list_paid_guides",
    "list_product_names",
    "list_store_facts",
    "list_store_guides_numbers",
    "list_store_periods",
    "list_store_sales",
    "list_target_changes",
    "list_target_progress",
    "list_targets_of",
    "list_targets_progress",
    "list_thawed",
    "list_visit_reasons",
    "next_commission_month",
    "nine_members",
    "offered_choices",
    "preview_rules",
    "span_before",
    "span_of",
    "state_of",
    "sum_commissions",
    "sum_deals",
    "sum_guide",
    "sum_guides",
    "sum_store",
    "try_commissions",
]
