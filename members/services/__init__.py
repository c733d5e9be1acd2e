"""Writes of `members`."""

from members.services.followers import (
    forget_authorization,
    identify_follower,
    note_unfollow,
    register_follower,
)
from members.services.import_candidates import decide_candidate
from members.services.import_jobs import (
    forget_import,
    map_import,
    pause_import,
    prune_imports,
    resume_import,
    start_import,
    stop_import,
    upload_import,
)
from members.services.import_running import work_import, work_imports
from members.services.imports import import_members
from members.services.merging import merge_members
from members.services.people import (
    lock_member,
    lock_members,
    name_columns,
    register_member,
    rename_member,
)
from members.services.points import (
    credit_points,
    debit_points,
    freeze_points,
    release_points,
    spend_frozen_points,
)
from members.services.points_adjustments import adjust_points, approve_adjustment, reject_adjustment
from members.services.points_expiry import announce_expiring_points, expire_points
from members.services.points_reversal import reverse_points_entry
from members.services.tags import (
    change_tag_group,
    create_tag,
    create_tag_group,
    expire_tags,
    rename_tag,
    restore_tag,
    retire_tag,
    tag_doer,
    tag_members,
    tag_search,
    untag_members,
    untag_search,
    usable_tag_name,
)

__all__ = [
    "adjust_points",
    "announce_expiring_points",
    "approve_adjustment",
    "change_tag_group",
    "create_tag",
    "create_tag_group",
    "credit_points",
    "debit_points",
    "decide_candidate",
    "expire_points",
    "expire_tags",
    "forget_authorization",
    "forget_import",
    "freeze_points",
    "identify_follower",
    "import_members",
    "lock_member",
    "lock_members",
    "map_import",
    "merge_members",
    "name_columns",
    "note_unfollow",
    "pause_import",
    "prune_imports",
    "register_follower",
    "register_member",
    "reject_adjustment",
    "release_points",
    "rename_member",
    "rename_tag",
    "restore_tag",
    "resume_import",
    "retire_tag",
    "reverse_points_entry",
    "spend_frozen_points",
    "start_import",
    "stop_import",
    "tag_doer",
    "tag_members",
    "tag_search",
    "untag_members",
    "untag_search",
    "upload_import",
    "usable_tag_name",
    "work_import",
    "work_imports",
]
