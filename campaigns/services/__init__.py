"""Writes of `campaigns`."""

from campaigns.services.delivering import note_delivery
from campaigns.services.grants import note_pushed_answer, report_answers
from campaigns.services.inbox import read_inbox_message, read_whole_inbox
from campaigns.services.queueing import queue_reaches, reach_member
from campaigns.services.rescuing import rescue_stuck_reaches
from campaigns.services.resending import resend_reach
from campaigns.services.retention import prune_reaches
from campaigns.services.sending import send_due_reaches
from campaigns.services.telling import take_back, tell_members

__all__ = [
    "note_delivery",
    "note_pushed_answer",
    "prune_reaches",
    "queue_reaches",
    "reach_member",
    "read_inbox_message",
    "read_whole_inbox",
    "report_answers",
    "rescue_stuck_reaches",
    "resend_reach",
    "send_due_reaches",
    "take_back",
    "tell_members",
]
