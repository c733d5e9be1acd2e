"""Reads of `guides`."""

from guides.selectors.bindings import (
    find_live_binding,
    list_binding_history,
    list_bound_members,
    list_newest_members,
    summarize_guide,
)
from guides.selectors.codes import find_open_code, get_guide_code, list_codes_to_publish
from guides.selectors.notes import (
    get_note,
    get_own_tag,
    list_notes,
    list_own_member_tags,
    list_own_tags,
)
from guides.selectors.people import access_member, find_guide_by_login, get_guide_card
from guides.selectors.places import get_store_card, get_store_place, known_place_ids, nearest_stores
from guides.selectors.pulse import list_notices_since
from guides.selectors.scopes import (
    scope_bindings,
    scope_channel_codes,
    scope_channel_scans,
    scope_guides,
    scope_members,
    scope_stores,
)

__all__ = [
    "access_member",
    "find_guide_by_login",
    "find_live_binding",
    "find_open_code",
    "get_guide_card",
    "get_guide_code",
    "get_note",
    "get_own_tag",
    "get_store_card",
    "get_store_place",
    "known_place_ids",
    "list_binding_history",
    "list_bound_members",
    "list_codes_to_publish",
    "list_newest_members",
    "list_notes",
    "list_notices_since",
    "list_own_member_tags",
    "list_own_tags",
    "nearest_stores",
    "scope_bindings",
    "scope_channel_codes",
    "scope_channel_scans",
    "scope_guides",
    "scope_members",
    "scope_stores",
    "summarize_guide",
]
