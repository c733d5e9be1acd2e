"""Writes of `coupons`."""

from coupons.services.batch_terms import (
    list_batch_faults,
)
from coupons.services.batches import (
    change_batch,
    create_batch,
    end_batch,
    extend_budget,
    extend_quota,
    open_batch,
    pause_batch,
)
from coupons.services.bulk import (
    issue_coupons,
    resume_issue_jobs,
    run_issue_job,
    start_issue_job,
)
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
    void_coupon,
    void_coupons_of_source,
)
from coupons.services.counter import (
    counter_request_id,
    discount_at_counter,
    read_counter_code,
    redeem_at_counter,
    undo_at_counter,
)
from coupons.services.directed import (
    issue_directed,
)
from coupons.services.exchange import (
    exchange_code,
)
from coupons.services.exchange_sets import (
    create_exchange_set,
    import_exchange_codes,
    take_exchange_codes,
    void_exchange_set,
)
from coupons.services.exchange_tries import (
    prune_exchange_tries,
)
from coupons.services.face_to_face import (
    answer_face_to_face_scan,
    close_face_to_face,
    fetch_face_to_face_codes,
    mend_face_to_face,
    open_face_to_face,
)
from coupons.services.following import follow_return
from coupons.services.gifts import (
    accept_gift,
    gift_coupon,
    preview_gift,
    return_gift,
    return_untaken_gifts,
)
from coupons.services.issue_lists import (
    bad_line_rows,
    line_words,
    list_missed,
    missed_words,
    read_issue_list,
)
from coupons.services.issuing import (
    claim_coupon,
    issue_coupon,
)
from coupons.services.issuing_many import issue_each
from coupons.services.links import (
    claim_from_link,
)
from coupons.services.locks import (
    hold_rows,
    lock_coupon,
    lock_coupons,
    release_lapsed_locks,
    unlock_coupon,
    unlock_coupons,
)
from coupons.services.order_pricing import (
    price_order,
)
from coupons.services.orders import (
    redeem_order,
    redeem_told_order,
)
from coupons.services.partner_codes import (
    code_fault,
    import_partner_codes,
)
from coupons.services.pricing import (
    price_basket,
)
from coupons.services.pricing_refund import (
    refund_of,
)
from coupons.services.redeeming import (
    Order,
    redeem_coupon,
    reverse_redemption,
    undo_redemption,
)
from coupons.services.returns import (
    return_order,
    reverse_order,
)
from coupons.services.settlement import (
    settle_redemptions,
)
from coupons.services.settlement_months import (
    close_month,
    decide_policy,
    drop_policy,
    recompute_settlement,
    reopen_month,
)
from coupons.services.showing import (
    read_shown_code,
    show_coupon,
)
from coupons.services.standing_issuing import (
    give_standing_coupon,
    meet_occasions,
    work_standing_rules,
)
from coupons.services.standing_purchases import note_purchases, withdraw_purchase_gifts
from coupons.services.standing_rounds import (
    settle_rounds,
)
from coupons.services.standing_rules import (
    change_standing_rule,
    create_standing_rule,
    retry_standing_issues,
    switch_rule_off,
    switch_rule_on,
)
from coupons.services.stats import (
    fold_stats,
)
from coupons.services.stats_proof import (
    prove_stats,
    prove_stats_when_due,
)
from coupons.services.telling import (
    tell_of_coupon,
    tell_of_expiring,
    tell_of_guide_issue,
    tell_of_returned_gift,
)
from coupons.services.template_terms import (
    list_faults,
)
from coupons.services.templates import (
    change_template,
    create_template,
    retire_template,
    revise_template,
)
from coupons.services.unlock_offers import (
    change_unlock_offer,
    create_unlock_offer,
    end_unlock_offer,
    pause_unlock_offer,
    resume_unlock_offer,
)
from coupons.services.unlocks import (
    expire_unlocks,
    help_unlock,
    release_unlock,
    release_unlocks,
    retry_unlocks,
    start_unlock,
)
from coupons.services.voiding import (
    resume_void_jobs,
    run_void_job,
    start_chosen_void_job,
    start_void_job,
    void_coupons,
)
from coupons.services.worked_example import (
    work_example,
)

__all__ = [
    "Order",
    "accept_gift",
    "announce_expiring_coupons",
    "answer_face_to_face_scan",
    "bad_line_rows",
    "change_batch",
    "change_standing_rule",
    "change_template",
    "change_unlock_offer",
    "claim_coupon",
    "claim_from_link",
    "close_face_to_face",
    "close_month",
    "code_fault",
    "confirm_issue_job",
    "continue_issue_job",
    "counter_request_id",
    "create_batch",
    "create_exchange_set",
    "create_standing_rule",
    "create_template",
    "create_unlock_offer",
    "decide_policy",
    "discount_at_counter",
    "draft_issue_job",
    "drop_policy",
    "end_batch",
    "end_unlock_offer",
    "exchange_code",
    "expire_coupons",
    "expire_unlocks",
    "extend_budget",
    "extend_quota",
    "fetch_face_to_face_codes",
    "fold_stats",
    "follow_return",
    "gift_coupon",
    "give_standing_coupon",
    "help_unlock",
    "hold_rows",
    "import_exchange_codes",
    "import_partner_codes",
    "issue_coupon",
    "issue_coupons",
    "issue_directed",
    "issue_each",
    "line_words",
    "list_batch_faults",
    "list_faults",
    "list_missed",
    "lock_coupon",
    "lock_coupons",
    "meet_occasions",
    "mend_face_to_face",
    "missed_words",
    "note_purchases",
    "open_batch",
    "open_face_to_face",
    "pause_batch",
    "pause_issue_job",
    "pause_unlock_offer",
    "preview_gift",
    "price_basket",
    "price_order",
    "prove_stats",
    "prove_stats_when_due",
    "prune_exchange_tries",
    "prune_issue_lists",
    "read_counter_code",
    "read_issue_list",
    "read_shown_code",
    "recompute_settlement",
    "redeem_at_counter",
    "redeem_coupon",
    "redeem_order",
    "redeem_told_order",
    "refund_of",
    "release_lapsed_locks",
    "release_unlock",
    "release_unlocks",
    "reopen_month",
    "resume_issue_jobs",
    "resume_unlock_offer",
    "resume_void_jobs",
    "retire_template",
    "retry_standing_issues",
    "retry_unlocks",
    "return_gift",
    "return_order",
    "return_untaken_gifts",
    "reverse_order",
    "reverse_redemption",
    "revise_template",
    "run_issue_job",
    "run_void_job",
    "settle_redemptions",
    "settle_rounds",
    "show_coupon",
    "start_chosen_void_job",
    "start_issue_job",
    "start_unlock",
    "start_void_job",
    "stop_issue_job",
    "switch_rule_off",
    "switch_rule_on",
    "take_exchange_codes",
    "tell_of_coupon",
    "tell_of_expiring",
    "tell_of_guide_issue",
    "tell_of_returned_gift",
    "undo_at_counter",
    "undo_redemption",
    "unlock_coupon",
    "unlock_coupons",
    "void_coupon",
    "void_coupons",
    "void_coupons_of_source",
    "void_exchange_set",
    "withdraw_purchase_gifts",
    "work_example",
    "work_standing_rules",
]
