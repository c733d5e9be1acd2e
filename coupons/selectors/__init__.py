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
from coupons.selectors.coupons import (
    check_coupon,
    count_usable_coupons,
    find_by_code,
    get_coupon,
    get_redemption,
    list_member_coupons,
)
from coupons.selectors.guide_doors import access_face_to_face, get_guide_batch, list_guide_batches
from coupons.selectors.scopes import scope_coupons, scope_redemptions
from coupons.selectors.standing import count_standing_issues, get_standing_rule, preview_standing_rule
from coupons.selectors.templates import get_template, list_template_versions, span_of

__all__ = [
    "access_face_to_face",
    "check_coupon",
    "count_standing_issues",
    "count_usable_coupons",
    "find_batch_id",
    "find_by_code",
    "get_batch",
    "get_coupon",
    "get_guide_batch",
    "get_guide_quota",
    "get_issue_progress",
    "get_redemption",
    "get_standing_rule",
    "get_template",
    "list_claimable_batches",
    "list_guide_batches",
    "list_member_coupons",
    "list_template_versions",
    "preview_standing_rule",
    "scope_coupons",
    "scope_redemptions",
    "span_of",
    "sum_batch",
    "sum_batches",
]
