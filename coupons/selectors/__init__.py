"""Reads of `coupons`."""

from coupons.selectors.audiences import audience_ids, audience_words, count_served, own_member_ids
from coupons.selectors.batches import (
    count_job_served,
    find_batch_id,
    get_batch,
    get_guide_quota,
    get_issue_pace,
    get_issue_progress,
    list_claimable_batches,
    list_first_members,
    sum_batch,
    sum_batches,
    sum_issue_jobs,
)
from coupons.selectors.coupons import (
    check_coupon,
    count_usable_coupons,
    find_by_code,
    get_coupon,
    get_redemption,
    list_member_coupons,
)
from coupons.selectors.faces import compare_terms, describe_terms, example_words, face_of
from coupons.selectors.scopes import scope_coupons, scope_issue_jobs, scope_redemptions
from coupons.selectors.templates import get_template, list_template_versions, span_of

__all__ = [
    "audience_ids",
    "audience_words",
    "check_coupon",
    "compare_terms",
    "count_job_served",
    "count_served",
    "count_usable_coupons",
    "describe_terms",
    "example_words",
    "face_of",
    "find_batch_id",
    "find_by_code",
    "get_batch",
    "get_coupon",
    "get_guide_quota",
    "get_issue_pace",
    "get_issue_progress",
    "get_redemption",
    "get_template",
    "list_claimable_batches",
    "list_first_members",
    "list_member_coupons",
    "list_template_versions",
    "own_member_ids",
    "scope_coupons",
    "scope_issue_jobs",
    "scope_redemptions",
    "span_of",
    "sum_batch",
    "sum_batches",
    "sum_issue_jobs",
]
