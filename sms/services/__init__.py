"""Writes of `sms`."""

from sms.services.outbox import (
    on_sms_queued,
    prune_messages,
    queue_sms,
    rescue_stuck_messages,
    send_due_messages,
    send_sms,
)

__all__ = [
    "on_sms_queued",
    "prune_messages",
    "queue_sms",
    "rescue_stuck_messages",
    "send_due_messages",
    "send_sms",
]
