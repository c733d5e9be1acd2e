"""Reads of `guides`."""

from guides.selectors.bindings import (
    find_live_binding,
    get_notice_state,
    list_binding_history,
    list_bound_members,
    list_newest_members,
    summarize_guide,
)
from guides.selectors.choosing import (
    bound_member_ids,
    list_place_names,
    list_region_tree,
    search_dealers,
    search_stores,
)
from guides.selectors.codes import find_open_code, get_guide_code, list_codes_to_publish
from guides.selectors.member_side import (
    find_member_guide,
    list_change_reasons,
    list_store_guides,
)
from guides.selectors.notes import (
    get_note,
    get_own_tag,
    list_notes,
    list_own_member_tags,
    list_own_tags,
)
from guides.selectors.people import access_member, find_guide_by_login, get_guide_card
from guides.selectors.places import (
    find_open_store,
    get_store_card,
    get_store_place,
    known_place_ids,
    nearest_stores,
)
from guides.selectors.pulse import list_notices_since
from guides.selectors.requests import (
    access_guide_request,
    access_member_request,
    count_unread_requests,
    is_request_overdue,
    list_colleagues,
    list_guide_requests,
    list_member_requests,
    list_request_kinds,
    list_requests_of_member_for_guide,
    summarize_requests,
)
from guides.selectors.scopes import (
    scope_bindings,
    scope_channel_codes,
    scope_channel_scans,
    scope_guides,
    scope_members,
    scope_requests,
    scope_stores,
)

__all__ = [
    "access_guide_request",
    "access_member",
    "access_member_request",
    "bound_member_ids",
    "count_unread_requests",
    "find_guide_by_login",
    "find_live_binding",
    "find_member_guide",
    "find_open_code",
    "find_open_store",
    "get_guide_card",
    "get_guide_code",
    "get_note",
    "get_notice_state",
    "get_own_tag",
    "get_store_card",
    "get_store_place",
    "is_request_overdue",
    "known_place_ids",
    "list_binding_history",
    "list_bound_members",
    "list_change_reasons",
    "list_codes_to_publish",
    "list_colleagues",
    "list_guide_requests",
    "list_member_requests",
    "list_newest_members",
    "list_notes",
    "list_notices_since",
    "list_own_member_tags",
    "list_own_tags",
    "list_place_names",
    "list_region_tree",
    "list_request_kinds",
    "list_requests_of_member_for_guide",
    "list_store_guides",
    "nearest_stores",
    "scope_bindings",
    "scope_channel_codes",
    "scope_channel_scans",
    "scope_guides",
    "scope_members",
    "scope_requests",
    "scope_stores",
    "search_dealers",
    "search_stores",
    "summarize_guide",
    "summarize_requests",
]
