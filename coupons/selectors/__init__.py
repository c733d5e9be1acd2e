"""Reads of `coupons`."""

from coupons.selectors.audiences import (
    audience_ids,
    audience_words,
    count_served,
    own_member_ids,
)
from coupons.selectors.batches import (
    count_job_served,
    find_batch_id,
    find_claim_target,
    get_batch,
    get_claimable_batch,
    get_guide_quota,
    get_issue_pace,
    get_issue_progress,
    list_claimable_batches,
    list_first_members,
    sum_batch,
    sum_batches,
    sum_issue_jobs,
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
    find_live_redemption,
    get_coupon,
    get_redemption,
    is_redeemed_for,
    list_member_coupons,
)
from coupons.selectors.directed import (
    access_directed_issue,
    foresee_directed_issue,
    list_given_coupons,
    sum_given_coupons,
)
from coupons.selectors.exchange import (
    count_older_exchange_sets,
    find_exchange_code_ids,
    get_exchange_set,
    sum_exchange_sets,
)
from coupons.selectors.faces import (
    compare_terms,
    describe_terms,
    example_words,
    face_of,
)
from coupons.selectors.guide_doors import (
    access_face_to_face,
    get_guide_batch,
    list_guide_batches,
)
from coupons.selectors.holding import (
    count_held_coupons,
    get_held_coupon,
    list_coupon_steps,
    list_held_coupons,
)
from coupons.selectors.in_hands import (
    list_coupons_of_member,
    list_expiring_coupons,
    list_usable_coupons,
)
from coupons.selectors.orders import (
    find_order_id,
    get_order,
)
from coupons.selectors.scopes import (
    scope_coupon_days,
    scope_coupons,
    scope_issue_jobs,
    scope_redemptions,
    scope_settlement_lines,
    visible_store_ids,
)
from coupons.selectors.settlement import (
    list_frozen_sums,
    month_lines,
    sum_owners,
    sum_stores,
)
from coupons.selectors.standing import (
    count_standing_issues,
    count_withdrawn_gifts,
    get_member_condition,
    get_standing_rule,
    has_purchase_rules,
    list_gifted_keys,
    preview_standing_rule,
)
from coupons.selectors.stats import (
    folded_until,
    list_entries,
    list_issued,
    list_stats,
    sum_coupons,
    sum_guide_coupons,
    sum_store_coupons,
)
from coupons.selectors.templates import (
    get_template,
    list_template_versions,
    span_of,
)
from coupons.selectors.term_words import (
    list_term_lines,
)
from coupons.selectors.unlocks import (
    get_unlock_offer,
    list_unlock_offers,
    sum_unlock_offers,
    visit_unlock_share,
)
from coupons.selectors.used import (
    list_used_coupons,
    redeemed_ids,
    reversed_ids,
)
from coupons.selectors.voiding import (
    get_void_progress,
    list_void_jobs,
    list_void_progress,
    list_voided_batches,
)

__all__ = [
    "access_directed_issue",
    "access_face_to_face",
    "access_store_redemption",
    "audience_ids",
    "audience_words",
    "check_at_counter",
    "check_coupon",
    "compare_terms",
    "count_held_coupons",
    "count_job_served",
    "count_older_exchange_sets",
    "count_served",
    "count_standing_issues",
    "count_usable_coupons",
    "count_withdrawn_gifts",
    "describe_terms",
    "example_words",
    "face_of",
    "find_batch_id",
    "find_by_code",
    "find_claim_target",
    "find_exchange_code_ids",
    "find_live_redemption",
    "find_order_id",
    "folded_until",
    "foresee_directed_issue",
    "get_batch",
    "get_claimable_batch",
    "get_coupon",
    "get_exchange_set",
    "get_guide_batch",
    "get_guide_quota",
    "get_held_coupon",
    "get_issue_pace",
    "get_issue_progress",
    "get_member_condition",
    "get_order",
    "get_redemption",
    "get_standing_rule",
    "get_template",
    "get_unlock_offer",
    "get_void_progress",
    "has_purchase_rules",
    "is_redeemed_for",
    "list_claimable_batches",
    "list_coupon_steps",
    "list_coupons_of_member",
    "list_entries",
    "list_expiring_coupons",
    "list_first_members",
    "list_frozen_sums",
    "list_gifted_keys",
    "list_given_coupons",
    "list_guide_batches",
    "list_held_coupons",
    "list_issued",
    "list_member_coupons",
    "list_stats",
    "list_store_redemptions",
    "list_template_versions",
    "list_term_lines",
    "list_unlock_offers",
    "list_usable_coupons",
    "list_used_coupons",
    "list_void_jobs",
    "list_void_progress",
    "list_voided_batches",
    "month_lines",
    "own_member_ids",
    "preview_standing_rule",
    "redeemed_ids",
    "reversed_ids",
    "scope_coupon_days",
    "scope_coupons",
    "scope_issue_jobs",
    "scope_redemptions",
    "scope_settlement_lines",
    "span_of",
    "sum_batch",
    "sum_batches",
    "sum_coupons",
    "sum_exchange_sets",
    "sum_given_coupons",
    "sum_guide_coupons",
    "sum_issue_jobs",
    "sum_owners",
    "sum_store_coupons",
    "sum_store_day",
    "sum_stores",
    "sum_unlock_offers",
    "visible_store_ids",
    "visit_unlock_share",
]
