"""Writes of `guides`."""

from guides.services.activation import activate_guide, issue_activation_code, remove_login
from guides.services.bindings import bind_member, rebind_member, unbind_member
from guides.services.codes import (
    close_channel_code,
    open_channel_code,
    publish_channel_code,
    renew_channel_codes,
)
from guides.services.imports import import_bindings
from guides.services.merges import settle_merged_member
from guides.services.notes import (
    add_note,
    edit_note,
    move_notes,
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
from guides.services.people import hire_guide, leave_guide, move_guide, rename_guide, return_guide
from guides.services.policy_trial import dry_run_policy
from guides.services.reindexing import reindex_remarks
from guides.services.reveals import reveal_member_phone
from guides.services.scans import answer_scan, resolve_scan

__all__ = [
    "activate_guide",
    "add_note",
    "answer_scan",
    "bind_member",
    "change_store",
    "close_channel_code",
    "close_store",
    "dry_run_policy",
    "edit_note",
    "hire_guide",
    "import_bindings",
    "issue_activation_code",
    "leave_guide",
    "mend_missed_reactions",
    "move_guide",
    "move_notes",
    "move_region",
    "open_channel_code",
    "open_dealer",
    "open_region",
    "open_store",
    "publish_channel_code",
    "read_notices",
    "rebind_member",
    "reindex_remarks",
    "remark_member",
    "remove_login",
    "remove_note",
    "rename_guide",
    "rename_region",
    "renew_channel_codes",
    "reopen_store",
    "resolve_scan",
    "restore_note",
    "return_guide",
    "reveal_member_phone",
    "settle_merged_member",
    "tag_privately",
    "tell_of_lost_member",
    "tell_of_new_member",
    "unbind_member",
    "untag_privately",
]
