"""Reads of `coupons`."""

from coupons.selectors.batches import (
    find_batch_id,
    find_claim_target,
    get_batch,
    get_claimable_batch,
    get_guide_quota,
    get_issue_progress,
    list_claimable_batches,
    sum_batch,
    sum_batches,
)
from coupons.selectors.coupons import (
    check_coupon,
    count_usable_coupons,
    find_by_code,
    get_coupon,
    get_redemption,
    list_member_coupons,
)
from coupons.selectors.exchange import (
    count_older_exchange_sets,
    find_exchange_code_ids,
    get_exchange_set,
    sum_exchange_sets,
)
from coupons.selectors.holding import (
    count_held_coupons,
    get_held_coupon,
    list_coupon_steps,
    list_held_coupons,
)
from coupons.selectors.scopes import scope_coupons, scope_redemptions
from coupons.selectors.templates import get_template, list_template_versions, span_of
from coupons.selectors.term_words import list_term_lines
from coupons.selectors.unlocks import (
    get_unlock_offer,
    list_unlock_offers,
    sum_unlock_offers,
    visit_unlock_share,
)

__all__ = [
    "check_coupon",
    "count_held_coupons",
    "count_older_exchange_sets",
    "count_usable_coupons",
    "find_batch_id",
    "find_by_code",
    "find_claim_target",
    "find_exchange_code_ids",
    "get_batch",
    "get_claimable_batch",
    "get_coupon",
    "get_exchange_set",
    "get_guide_quota",
    "get_held_coupon",
    "get_issue_progress",
    "get_redemption",
    "get_template",
    "get_unlock_offer",
    "list_claimable_batches",
    "list_coupon_steps",
    "list_held_coupons",
    "list_member_coupons",
    "list_template_versions",
    "list_term_lines",
    "list_unlock_offers",
    "scope_coupons",
    "scope_redemptions",
    "span_of",
    "sum_batch",
    "sum_batches",
    "sum_exchange_sets",
    "sum_unlock_offers",
    "visit_unlock_share",
]
