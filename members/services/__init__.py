"""Writes of `members`."""

from members.services.addresses import change_address
from members.services.behaviour_owners import adopt_behaviours, forget_behaviours, forget_unagreed
from members.services.behaviour_partitions import behaviours_kept_on, keep_partitions, lacks_next_partition
from members.services.behaviour_sums import sum_behaviour_days
from members.services.behaviours import (
    MOST_OF_PHONE,
    MOST_OF_SERVER,
    record_member_behaviours,
    record_told_behaviours,
)
from members.services.consents import (
    agree_consent,
    change_consent_kind,
    create_consent_kind,
    draft_consent_text,
    ensure_consent_kinds,
    publish_consent_text,
    withdraw_consent,
)
from members.services.correcting import correct_profile
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
from members.services.identified_followers import identify_followers
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
    work_import,
    work_imports,
)
from members.services.imports import import_members
from members.services.knowing_apart import keep_apart
from members.services.latecomers import sweep_emptied, sweep_latecomers, sweep_merge
from members.services.listed_followers import register_listed_followers
from members.services.member_codes import MEMBER_CODE_LIFE, issue_member_code, read_member_code
from members.services.merging import merge_members, preview_merge
from members.services.mini_visitors import register_mini_visitor
from members.services.parting import undo_merge
from members.services.people import (
    lock_living,
    lock_member,
    lock_members,
    name_columns,
    register_member,
    rename_member,
)
from members.services.phone_claims import claim_phones
from members.services.phones import verify_phone
from members.services.points import (
    credit_points,
    debit_points,
    freeze_points,
    release_points,
    spend_frozen_points,
)
from members.services.points_adjustments import adjust_points, approve_adjustment, reject_adjustment
from members.services.points_bulk import give_points
from members.services.points_expiry import announce_expiring_points, expire_points
from members.services.points_reversal import reverse_points_entry
from members.services.profile import change_profile, reward_profile, reward_profiles
from members.services.purchases import reward_purchases
from members.services.purchases_back import take_back_purchases
from members.services.reindexing import count_older_phones, reindex_names, reindex_phones
from members.services.reveals import reveal_phone
from members.services.ruled_tags import bind_tag_to_rule, free_tag_of_rule, settle_ruled_tag
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
from members.services.tiers import (
    grant_tier,
    record_activity,
    withdraw_tier_grant,
)
from members.services.tiers_ladder import (
    change_tier,
    change_tier_settings,
    create_tier,
    restore_tier,
    retire_tier,
)
from members.services.tiers_reassessing import (
    announce_tiers_at_risk,
    reassess_tiers,
    request_reassessment,
    run_reassessments,
)
from members.services.unlinking import unlink_identity

__all__ = [
    "MEMBER_CODE_LIFE",
    "MOST_OF_PHONE",
    "MOST_OF_SERVER",
    "adjust_points",
    "adopt_behaviours",
    "agree_consent",
    "announce_expiring_points",
    "announce_tiers_at_risk",
    "approve_adjustment",
    "behaviours_kept_on",
    "bind_tag_to_rule",
    "change_address",
    "change_consent_kind",
    "change_profile",
    "change_tag_group",
    "change_tier",
    "change_tier_settings",
    "claim_phones",
    "correct_profile",
    "count_holdings",
    "count_older_phones",
    "count_parts",
    "create_consent_kind",
    "create_tag",
    "create_tag_group",
    "create_tier",
    "credit_points",
    "debit_points",
    "decide_candidate",
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
    "forget_behaviours",
    "forget_import",
    "forget_unagreed",
    "free_tag_of_rule",
    "freeze_points",
    "fulfil_erasure",
    "fulfil_export",
    "give_points",
    "grant_tier",
    "identify_follower",
    "identify_followers",
    "import_members",
    "issue_member_code",
    "keep_apart",
    "keep_partitions",
    "lacks_next_partition",
    "lock_living",
    "lock_member",
    "lock_members",
    "map_import",
    "merge_members",
    "name_columns",
    "note_unfollow",
    "pause_import",
    "preview_merge",
    "prune_imports",
    "publish_consent_text",
    "read_member_code",
    "reassess_tiers",
    "record_activity",
    "record_member_behaviours",
    "record_told_behaviours",
    "register_follower",
    "register_listed_followers",
    "register_member",
    "register_mini_visitor",
    "reindex_names",
    "reindex_phones",
    "reject_adjustment",
    "release_points",
    "rename_member",
    "rename_tag",
    "request_erasure",
    "request_export",
    "request_reassessment",
    "restore_tag",
    "restore_tier",
    "resume_import",
    "retire_tag",
    "retire_tier",
    "reveal_phone",
    "reverse_points_entry",
    "reward_profile",
    "reward_profiles",
    "reward_purchases",
    "run_reassessments",
    "settle_ruled_tag",
    "spend_frozen_points",
    "start_import",
    "stop_import",
    "sum_behaviour_days",
    "sweep_emptied",
    "sweep_latecomers",
    "sweep_merge",
    "tag_doer",
    "tag_members",
    "tag_search",
    "take_back_purchases",
    "undo_merge",
    "unlink_identity",
    "untag_members",
    "untag_search",
    "upload_import",
    "usable_tag_name",
    "verify_phone",
    "withdraw_consent",
    "withdraw_data_request",
    "withdraw_tier_grant",
    "work_import",
    "work_imports",
]
