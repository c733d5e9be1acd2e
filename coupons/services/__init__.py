"""Writes of `coupons`."""

from coupons.services.batch_terms import list_batch_faults
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
from coupons.services.bulk_desk import (
    confirm_issue_job,
    continue_issue_job,
    draft_issue_job,
    pause_issue_job,
    prune_issue_lists,
    stop_issue_job,
)
from coupons.services.closing import (
    announce_expiring_coupons,
    expire_coupons,
    void_chosen_coupons,
    void_coupon,
    void_coupons,
    void_coupons_of_source,
)
from coupons.services.gifts import accept_gift, gift_coupon, preview_gift, return_gift, return_untaken_gifts
from coupons.services.issue_lists import bad_line_rows, line_words, list_missed, missed_words, read_issue_list
from coupons.services.issuing import claim_coupon, issue_coupon
from coupons.services.locks import lock_coupon, release_lapsed_locks, unlock_coupon
from coupons.services.partner_codes import code_fault, import_partner_codes
from coupons.services.pricing import price_basket
from coupons.services.pricing_refund import refund_of
from coupons.services.redeeming import Order, redeem_coupon, reverse_redemption, undo_redemption
from coupons.services.showing import read_shown_code, show_coupon
from coupons.services.template_terms import list_faults
from coupons.services.templates import change_template, create_template, retire_template, revise_template
from coupons.services.worked_example import work_example

__all__ = [
    "Order",
    "accept_gift",
    "announce_expiring_coupons",
    "bad_line_rows",
    "change_batch",
    "change_template",
    "claim_coupon",
    "code_fault",
    "confirm_issue_job",
    "continue_issue_job",
    "create_batch",
    "create_template",
    "draft_issue_job",
    "end_batch",
    "expire_coupons",
    "extend_budget",
    "extend_quota",
    "gift_coupon",
    "import_partner_codes",
    "issue_coupon",
    "issue_coupons",
    "line_words",
    "list_batch_faults",
    "list_faults",
    "list_missed",
    "lock_coupon",
    "missed_words",
    "open_batch",
    "pause_batch",
    "pause_issue_job",
    "preview_gift",
    "price_basket",
    "prune_issue_lists",
    "read_issue_list",
    "read_shown_code",
    "redeem_coupon",
    "refund_of",
    "release_lapsed_locks",
    "resume_issue_jobs",
    "retire_template",
    "return_gift",
    "return_untaken_gifts",
    "reverse_redemption",
    "revise_template",
    "run_issue_job",
    "show_coupon",
    "start_issue_job",
    "stop_issue_job",
    "undo_redemption",
    "unlock_coupon",
    "void_chosen_coupons",
    "void_coupon",
    "void_coupons",
    "void_coupons_of_source",
    "work_example",
]
