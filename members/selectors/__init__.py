"""Reads of `members`."""

from members.selectors.names import name_tokens, pinyin_of, typed_tokens
from members.selectors.people import (
    card_of,
    find_member_card,
    find_member_id,
    find_openid,
    get_member_card,
    list_member_cards,
    list_merge_targets,
    living_member_ids,
    merged_member_ids,
    phone_index,
    search_member_ids,
)
from members.selectors.points import (
    get_points_decisions,
    get_points_summary,
    list_earning_rules,
    list_points_entries,
    list_points_multipliers,
    quote_member_points,
)
from members.selectors.points_quote import quote_earned_points
from members.selectors.tags import (
    count_tagged,
    find_last_expiry,
    get_tag_card,
    group_card_of,
    list_member_tags,
    list_recent_tag_ids,
    list_tags,
    tag_card_of,
    tagged_member_ids,
)

__all__ = [
    "card_of",
    "count_tagged",
    "find_last_expiry",
    "find_member_card",
    "find_member_id",
    "find_openid",
    "get_member_card",
    "get_points_decisions",
    "get_points_summary",
    "get_tag_card",
    "group_card_of",
    "list_earning_rules",
    "list_member_cards",
    "list_member_tags",
    "list_merge_targets",
    "list_points_entries",
    "list_points_multipliers",
    "list_recent_tag_ids",
    "list_tags",
    "living_member_ids",
    "merged_member_ids",
    "name_tokens",
    "phone_index",
    "pinyin_of",
    "quote_earned_points",
    "quote_member_points",
    "search_member_ids",
    "tag_card_of",
    "tagged_member_ids",
    "typed_tokens",
]
