"""Writes of `members`."""

from members.services.consents import (
    agree_consent,
    change_consent_kind,
    create_consent_kind,
    draft_consent_text,
    ensure_consent_kinds,
    publish_consent_text,
    withdraw_consent,
)
from members.services.data_requests import (
    erase_ripe_members,
    erase_unfollowed,
    fulfil_erasure,
    fulfil_export,
    request_erasure,
    request_export,
    withdraw_data_request,
)
from members.services.erasing import erase_member
from members.services.exporting import count_holdings, count_parts, export_file, export_member
from members.services.followers import (
    identify_follower,
    note_unfollow,
    register_follower,
)
from members.services.forgetting import forget_authorization
from members.services.imports import import_members
from members.services.merging import merge_members
from members.services.people import (
    lock_member,
    lock_members,
    name_columns,
    register_member,
    rename_member,
)
from members.services.phone_claims import claim_phones
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
from members.services.reindexing import count_older_phones, reindex_names, reindex_phones
from members.services.reveals import reveal_phone
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
    "agree_consent",
    "announce_expiring_points",
    "approve_adjustment",
    "change_consent_kind",
    "change_tag_group",
    "claim_phones",
    "count_holdings",
    "count_older_phones",
    "count_parts",
    "create_consent_kind",
    "create_tag",
    "create_tag_group",
    "credit_points",
    "debit_points",
    "draft_consent_text",
    "ensure_consent_kinds",
    "erase_member",
    "erase_ripe_members",
    "erase_unfollowed",
    "expire_points",
    "expire_tags",
    "export_file",
    "export_member",
    "forget_authorization",
    "freeze_points",
    "fulfil_erasure",
    "fulfil_export",
    "identify_follower",
    "import_members",
    "lock_member",
    "lock_members",
    "merge_members",
    "name_columns",
    "note_unfollow",
    "publish_consent_text",
    "register_follower",
    "register_member",
    "reindex_names",
    "reindex_phones",
    "reject_adjustment",
    "release_points",
    "rename_member",
    "rename_tag",
    "request_erasure",
    "request_export",
    "restore_tag",
    "retire_tag",
    "reveal_phone",
    "reverse_points_entry",
    "spend_frozen_points",
    "tag_doer",
    "tag_members",
    "tag_search",
    "untag_members",
    "untag_search",
    "usable_tag_name",
    "withdraw_consent",
    "withdraw_data_request",
]
