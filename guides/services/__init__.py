"""Writes of `guides`."""

from guides.services.activation import activate_guide, issue_activation_code, remove_login
from guides.services.bindings import bind_member, rebind_member, unbind_member
from guides.services.bulk_rebinding import rebind_members
from guides.services.codes import (
    close_channel_code,
    open_channel_code,
    publish_channel_code,
    renew_channel_codes,
)
from guides.services.conversations import (
    answer_member,
    keep_message,
    mark_read,
    prune_conversations,
    read_conversation,
    settle_answers,
    settle_conversation,
)
from guides.services.follow_up_rounds import give_follow_ups, plan_follow_ups
from guides.services.follow_ups import (
    assign_follow_ups,
    complete_follow_up,
    mend_follow_ups,
    reopen_follow_up,
    settle_follow_ups,
)
from guides.services.imports import import_bindings
from guides.services.member_choice import change_guide
from guides.services.member_messages import (
    answer_act,
    day_words,
    tell_members,
    tell_of_expiring_points,
    tell_of_points,
    tell_of_tier_at_risk,
    tell_of_upgrades,
)
from guides.services.notes import (
    add_note,
    edit_note,
    remark_member,
    remove_note,
    restore_note,
    tag_privately,
    untag_privately,
)
from guides.services.notices import (
    mend_missed_reactions,
    read_notices,
    tell_of_lost_member,
    tell_of_new_member,
)
from guides.services.organisation import (
    change_store,
    close_store,
    move_region,
    open_dealer,
    open_region,
    open_store,
    rename_region,
    reopen_store,
)
from guides.services.people import (
    hire_guide,
    leave_guide,
    lock_guide,
    move_guide,
    rename_guide,
    return_guide,
)
from guides.services.policy_trial import dry_run_policy
from guides.services.quick_replies import save_quick_reply
from guides.services.reindexing import reindex_remarks
from guides.services.request_jobs import close_done_requests, mark_overdue_requests
from guides.services.request_kinds import change_request_kind, create_request_kind
from guides.services.request_moves import (
    mend_requests,
    settle_guide_requests,
    settle_member_requests,
)
from guides.services.request_notices import tell_missed_steps, tell_of_request_step
from guides.services.request_work import (
    accept_request,
    finish_request,
    hand_over_request,
    reassign_request,
    refuse_request,
    schedule_request,
    start_request,
    write_request,
)
from guides.services.requests import cancel_request, close_request, open_request, read_request
from guides.services.reveals import reveal_member_phone
from guides.services.scans import answer_scan, resolve_scan
from guides.services.staff_answers import answer_as_staff, give_conversation, settle_as_staff
from guides.services.tag_links import (
    link_tags,
    note_tag_change,
    unlink_tags,
    work_tag_link,
    work_tag_links,
)
from guides.services.talkers import find_talker
from guides.services.words import clean_text

__all__ = [
    "accept_request",
    "activate_guide",
    "add_note",
    "answer_act",
    "answer_as_staff",
    "answer_member",
    "answer_scan",
    "assign_follow_ups",
    "bind_member",
    "cancel_request",
    "change_guide",
    "change_request_kind",
    "change_store",
    "clean_text",
    "close_channel_code",
    "close_done_requests",
    "close_request",
    "close_store",
    "complete_follow_up",
    "create_request_kind",
    "day_words",
    "dry_run_policy",
    "edit_note",
    "find_talker",
    "finish_request",
    "give_conversation",
    "give_follow_ups",
    "hand_over_request",
    "hire_guide",
    "import_bindings",
    "issue_activation_code",
    "keep_message",
    "leave_guide",
    "link_tags",
    "lock_guide",
    "mark_overdue_requests",
    "mark_read",
    "mend_follow_ups",
    "mend_missed_reactions",
    "mend_requests",
    "move_guide",
    "move_region",
    "note_tag_change",
    "open_channel_code",
    "open_dealer",
    "open_region",
    "open_request",
    "open_store",
    "plan_follow_ups",
    "prune_conversations",
    "publish_channel_code",
    "read_conversation",
    "read_notices",
    "read_request",
    "reassign_request",
    "rebind_member",
    "rebind_members",
    "refuse_request",
    "reindex_remarks",
    "remark_member",
    "remove_login",
    "remove_note",
    "rename_guide",
    "rename_region",
    "renew_channel_codes",
    "reopen_follow_up",
    "reopen_store",
    "resolve_scan",
    "restore_note",
    "return_guide",
    "reveal_member_phone",
    "save_quick_reply",
    "schedule_request",
    "settle_answers",
    "settle_as_staff",
    "settle_conversation",
    "settle_follow_ups",
    "settle_guide_requests",
    "settle_member_requests",
    "settle_merged_member",
    "start_request",
    "tag_privately",
    "tell_members",
    "tell_missed_steps",
    "tell_of_expiring_points",
    "tell_of_lost_member",
    "tell_of_new_member",
    "tell_of_points",
    "tell_of_request_step",
    "tell_of_tier_at_risk",
    "tell_of_upgrades",
    "unbind_member",
    "unlink_tags",
    "untag_privately",
    "work_tag_link",
    "work_tag_links",
    "write_request",
]
