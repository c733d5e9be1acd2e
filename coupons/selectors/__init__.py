"""Reads of `coupons`."""

from coupons.selectors.batches import (
    find_batch_id,
    get_batch,
    get_guide_quota,
    get_issue_progress,
    list_claimable_batches,
    sum_batch,
    sum_batches,
)
from coupons.selectors.counter import (
    access_store_redemption,
    check_at_counter,
    list_store_redemptions,
    sum_store_day,
)
from coupons.selectors.coupons import (
    check_coupon,
    count_usable_coupons,
    find_by_code,
    get_coupon,
    get_redemption,
    list_member_coupons,
)
from coupons.selectors.directed import (
    access_directed_issue,
    foresee_directed_issue,
    list_given_coupons,
    sum_given_coupons,
)
from coupons.selectors.guide_doors import access_face_to_face, get_guide_batch, list_guide_batches
from coupons.selectors.in_hands import list_expiring_coupons, list_usable_coupons
from coupons.selectors.scopes import scope_coupons, scope_redemptions
from coupons.selectors.standing import count_standing_issues, get_standing_rule, preview_standing_rule
from coupons.selectors.templates import get_template, list_template_versions, span_of

__all__ = [
    "access_directed_issue",
    "access_face_to_face",
    "access_store_redemption",
    "check_at_counter",
    "check_coupon",
    "count_standing_issues",
    "count_usable_coupons",
    "find_batch_id",
    "find_by_code",
    "foresee_directed_issue",
    "get_batch",
    "get_coupon",
    "get_guide_batch",
    "get_guide_quota",
    "get_issue_progress",
    "get_redemption",
    "get_standing_rule",
    "get_template",
    "list_claimable_batches",
    "list_expiring_coupons",
    "list_given_coupons",
    "list_guide_batches",
    "list_member_coupons",
    "list_store_redemptions",
    "list_template_versions",
    "list_usable_coupons",
    "preview_standing_rule",
    "scope_coupons",
    "scope_redemptions",
    "span_of",
    "sum_batch",
    "sum_batches",
    "sum_given_coupons",
    "sum_store_day",
]
