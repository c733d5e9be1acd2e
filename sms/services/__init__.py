"""Writes of `sms`."""

from sms.gateways import is_set_up
from sms.services.blocks import lift_block, list_blocked
from sms.services.direct import cost_at_most, cost_of, price_of, send_text
from sms.services.drafts import draft_text
from sms.services.numbers import forget_number, tell_number
from sms.services.outbox import (
    on_sms_queued,
    prune_messages,
    queue_sms,
    rescue_stuck_messages,
    send_due_messages,
    send_sms,
)
from sms.services.pulls import count_lost_pulls, prune_pulls, pull_reports, work_pulls
from sms.services.recalls import recall_reports
from sms.services.reports import (
    get_reply,
    on_reports_arrived,
    prune_reports,
    store_receipts,
    store_replies,
    work_reports,
)
from sms.services.spending import note_spending
from sms.services.texts import (
    fill_text,
    get_text,
    list_texts,
    save_sign,
    save_template,
    sync_reviews,
)
from sms.services.trials import list_text_trials, try_text

__all__ = [
    "cost_at_most",
    "cost_of",
    "count_lost_pulls",
    "draft_text",
    "fill_text",
    "forget_number",
    "get_reply",
    "get_text",
    "is_set_up",
    "lift_block",
    "list_blocked",
    "list_text_trials",
    "list_texts",
    "note_spending",
    "on_reports_arrived",
    "on_sms_queued",
    "price_of",
    "prune_messages",
    "prune_pulls",
    "prune_reports",
    "pull_reports",
    "queue_sms",
    "recall_reports",
    "rescue_stuck_messages",
    "save_sign",
    "save_template",
    "send_due_messages",
    "send_sms",
    "send_text",
    "store_receipts",
    "store_replies",
    "sync_reviews",
    "tell_number",
    "try_text",
    "work_pulls",
    "work_reports",
]
