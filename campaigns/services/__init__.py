"""Writes of `campaigns`."""

from campaigns.services.delivering import note_delivery
from campaigns.services.grants import note_pushed_answer, report_answers
from campaigns.services.inbox import read_inbox_message, read_whole_inbox
from campaigns.services.queueing import queue_reaches, reach_member
from campaigns.services.rescuing import rescue_stuck_reaches
from campaigns.services.resending import resend_reach
from campaigns.services.retention import prune_reaches, prune_segment_moves
from campaigns.services.segment_filling import fill_segment, work_segments
from campaigns.services.segments import (
    change_segment,
    create_list,
    create_segment,
    refresh_segment,
    retire_segment,
)
from campaigns.services.sending import send_due_reaches
from campaigns.services.telling import take_back, tell_members

__all__ = [
    "change_segment",
    "create_list",
    "create_segment",
    "fill_segment",
    "note_delivery",
    "note_pushed_answer",
    "prune_reaches",
    "prune_segment_moves",
    "queue_reaches",
    "reach_member",
    "read_inbox_message",
    "read_whole_inbox",
    "refresh_segment",
    "report_answers",
    "rescue_stuck_reaches",
    "resend_reach",
    "retire_segment",
    "send_due_reaches",
    "take_back",
    "tell_members",
    "work_segments",
]
