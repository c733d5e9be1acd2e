"""Writes of `campaigns`."""

from campaigns.services.campaign_budgets import raise_budget
from campaigns.services.campaign_life import (
    approve_campaign,
    end_over_campaigns,
    pause_campaign,
    recall_campaign,
    return_campaign,
    stop_campaign,
    submit_campaign,
)
from campaigns.services.campaign_resuming import resume_campaign
from campaigns.services.campaign_steps import move_campaign
from campaigns.services.campaign_trying import try_campaign
from campaigns.services.campaigns import change_campaign, copy_campaign, create_campaign, drop_campaign
from campaigns.services.delivering import note_delivery
from campaigns.services.grants import note_pushed_answer, report_answers
from campaigns.services.inbox import read_inbox_message, read_whole_inbox
from campaigns.services.mass_confirming import confirm_mass_message
from campaigns.services.mass_lists import read_mass_list, read_pasted_list
from campaigns.services.mass_results import (
    ask_again,
    ask_overdue_results,
    delete_mass_message,
    settle_mass_message,
)
from campaigns.services.mass_sending import send_due_mass_messages, send_mass_message
from campaigns.services.mass_writing import (
    copy_mass_message,
    drop_mass_message,
    preview_mass_message,
    recall_mass_message,
    save_mass_message,
)
from campaigns.services.outcomes import recount_run, work_outcomes
from campaigns.services.queueing import queue_reaches, reach_member
from campaigns.services.rescuing import rescue_stuck_reaches
from campaigns.services.resending import resend_reach
from campaigns.services.retention import prune_mass_lists, prune_reaches, prune_segment_moves, prune_webhooks
from campaigns.services.segment_filling import fill_segment, work_segments
from campaigns.services.segment_lists import change_list, create_list, note_members_read
from campaigns.services.segment_tags import follow_segment, leave_segment
from campaigns.services.segments import (
    change_segment,
    create_segment,
    refresh_segment,
    retire_segment,
)
from campaigns.services.sending import send_due_reaches
from campaigns.services.slots import work_reaches
from campaigns.services.telling import take_back, tell_members
from campaigns.services.texting import note_opt_out, note_text_report, recall_lost_reports
from campaigns.services.webhook_sending import work_webhooks
from campaigns.services.webhooks import (
    change_endpoint,
    create_endpoint,
    renew_secret,
    retry_delivery,
)

__all__ = [
    "approve_campaign",
    "ask_again",
    "ask_overdue_results",
    "change_campaign",
    "change_endpoint",
    "change_list",
    "change_segment",
    "confirm_mass_message",
    "copy_campaign",
    "copy_mass_message",
    "create_campaign",
    "create_endpoint",
    "create_list",
    "create_segment",
    "delete_mass_message",
    "drop_campaign",
    "drop_mass_message",
    "end_over_campaigns",
    "fill_segment",
    "follow_segment",
    "leave_segment",
    "move_campaign",
    "note_delivery",
    "note_members_read",
    "note_opt_out",
    "note_pushed_answer",
    "note_text_report",
    "pause_campaign",
    "preview_mass_message",
    "prune_mass_lists",
    "prune_reaches",
    "prune_segment_moves",
    "prune_webhooks",
    "queue_reaches",
    "raise_budget",
    "reach_member",
    "read_inbox_message",
    "read_mass_list",
    "read_pasted_list",
    "read_whole_inbox",
    "recall_campaign",
    "recall_lost_reports",
    "recall_mass_message",
    "recount_run",
    "refresh_segment",
    "renew_secret",
    "report_answers",
    "rescue_stuck_reaches",
    "resend_reach",
    "resume_campaign",
    "retire_segment",
    "retry_delivery",
    "return_campaign",
    "save_mass_message",
    "send_due_mass_messages",
    "send_due_reaches",
    "send_mass_message",
    "settle_mass_message",
    "stop_campaign",
    "submit_campaign",
    "take_back",
    "tell_members",
    "try_campaign",
    "work_outcomes",
    "work_reaches",
    "work_segments",
    "work_webhooks",
]
