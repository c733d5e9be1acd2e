"""Writes of `campaigns`."""

from campaigns.services.grants import note_pushed_answer, note_reported_answers
from campaigns.services.inbox import read_inbox_message, read_whole_inbox
from campaigns.services.queueing import queue_reaches, reach_member
from campaigns.services.rescuing import rescue_stuck_reaches
from campaigns.services.retention import prune_reaches
from campaigns.services.sending import send_due_reaches

__all__ = [
    "note_pushed_answer",
    "note_reported_answers",
    "prune_reaches",
    "queue_reaches",
    "reach_member",
    "read_inbox_message",
    "read_whole_inbox",
    "rescue_stuck_reaches",
    "send_due_reaches",
]
