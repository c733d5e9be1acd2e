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
from coupons.services.exchange import exchange_code
from coupons.services.exchange_sets import (
    create_exchange_set,
    import_exchange_codes,
    take_exchange_codes,
    void_exchange_set,
)
from coupons.services.exchange_tries import prune_exchange_tries
from coupons.services.gifts import accept_gift, gift_coupon, preview_gift, return_gift, return_untaken_gifts
from coupons.services.issuing import claim_coupon, issue_coupon
from coupons.services.links import claim_from_link
from coupons.services.locks import lock_coupon, release_lapsed_locks, unlock_coupon
from coupons.services.partner_codes import import_partner_codes
from coupons.services.pricing import price_basket
from coupons.services.pricing_refund import refund_of
from coupons.services.redeeming import Order, redeem_coupon, reverse_redemption, undo_redemption
from coupons.services.showing import read_shown_code, show_coupon
from coupons.services.templates import change_template, create_template, retire_template, revise_template
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

__all__ = [
    "Order",
    "accept_gift",
    "announce_expiring_coupons",
    "change_batch",
    "change_template",
    "change_unlock_offer",
    "claim_coupon",
    "claim_from_link",
    "create_batch",
    "create_exchange_set",
    "create_template",
    "create_unlock_offer",
    "end_batch",
    "end_unlock_offer",
    "exchange_code",
    "expire_coupons",
    "expire_unlocks",
    "extend_budget",
    "extend_quota",
    "gift_coupon",
    "help_unlock",
    "import_exchange_codes",
    "import_partner_codes",
    "issue_coupon",
    "issue_coupons",
    "lock_coupon",
    "open_batch",
    "pause_batch",
    "pause_unlock_offer",
    "preview_gift",
    "price_basket",
    "prune_exchange_tries",
    "read_shown_code",
    "redeem_coupon",
    "refund_of",
    "release_lapsed_locks",
    "release_unlock",
    "release_unlocks",
    "resume_issue_jobs",
    "resume_unlock_offer",
    "retire_template",
    "retry_unlocks",
    "return_gift",
    "return_untaken_gifts",
    "reverse_redemption",
    "revise_template",
    "run_issue_job",
    "show_coupon",
    "start_issue_job",
    "start_unlock",
    "take_exchange_codes",
    "undo_redemption",
    "unlock_coupon",
    "void_coupon",
    "void_coupons",
    "void_coupons_of_source",
    "void_exchange_set",
]
