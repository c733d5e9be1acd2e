"""Writes of `coupons`."""

from coupons.services.batches import (
    change_batch,
    create_batch,
    end_batch,
    extend_budget,
    extend_quota,
    open_batch,
    pause_batch,
)
from coupons.services.bulk import issue_coupons, resume_issue_jobs, run_issue_job, start_issue_job
from coupons.services.closing import (
    announce_expiring_coupons,
    expire_coupons,
    void_coupon,
    void_coupons,
    void_coupons_of_source,
)
from coupons.services.counter import (
    counter_request_id,
    discount_at_counter,
    read_counter_code,
    redeem_at_counter,
    undo_at_counter,
)
from coupons.services.directed import issue_directed
from coupons.services.face_to_face import (
    answer_face_to_face_scan,
    close_face_to_face,
    fetch_face_to_face_codes,
    mend_face_to_face,
    open_face_to_face,
)
from coupons.services.gifts import accept_gift, gift_coupon, preview_gift, return_gift, return_untaken_gifts
from coupons.services.issuing import claim_coupon, issue_coupon
from coupons.services.locks import lock_coupon, release_lapsed_locks, unlock_coupon
from coupons.services.partner_codes import import_partner_codes
from coupons.services.pricing import price_basket
from coupons.services.pricing_refund import refund_of
from coupons.services.redeeming import Order, redeem_coupon, reverse_redemption, undo_redemption
from coupons.services.showing import read_shown_code, show_coupon
from coupons.services.standing_issuing import give_standing_coupon, meet_occasions, work_standing_rules
from coupons.services.standing_rounds import settle_rounds
from coupons.services.standing_rules import (
    change_standing_rule,
    create_standing_rule,
    retry_standing_issues,
    switch_rule_off,
    switch_rule_on,
)
from coupons.services.telling import tell_of_coupon, tell_of_expiring, tell_of_guide_issue
from coupons.services.templates import change_template, create_template, retire_template, revise_template

__all__ = [
    "Order",
    "accept_gift",
    "announce_expiring_coupons",
    "answer_face_to_face_scan",
    "change_batch",
    "change_standing_rule",
    "change_template",
    "claim_coupon",
    "close_face_to_face",
    "counter_request_id",
    "create_batch",
    "create_standing_rule",
    "create_template",
    "discount_at_counter",
    "end_batch",
    "expire_coupons",
    "extend_budget",
    "extend_quota",
    "fetch_face_to_face_codes",
    "gift_coupon",
    "give_standing_coupon",
    "import_partner_codes",
    "issue_coupon",
    "issue_coupons",
    "issue_directed",
    "lock_coupon",
    "meet_occasions",
    "mend_face_to_face",
    "open_batch",
    "open_face_to_face",
    "pause_batch",
    "preview_gift",
    "price_basket",
    "read_counter_code",
    "read_shown_code",
    "redeem_at_counter",
    "redeem_coupon",
    "refund_of",
    "release_lapsed_locks",
    "resume_issue_jobs",
    "retire_template",
    "retry_standing_issues",
    "return_gift",
    "return_untaken_gifts",
    "reverse_redemption",
    "revise_template",
    "run_issue_job",
    "settle_rounds",
    "show_coupon",
    "start_issue_job",
    "switch_rule_off",
    "switch_rule_on",
    "tell_of_coupon",
    "tell_of_expiring",
    "tell_of_guide_issue",
    "undo_at_counter",
    "undo_redemption",
    "unlock_coupon",
    "void_coupon",
    "void_coupons",
    "void_coupons_of_source",
    "work_standing_rules",
]
