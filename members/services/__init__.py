"""Writes of `members`."""

from members.services.followers import (
    forget_authorization,
    identify_follower,
    note_unfollow,
    register_follower,
)
from members.services.imports import import_members
from members.services.merging import merge_members
from members.services.people import lock_member, lock_members, register_member, rename_member

__all__ = [
    "forget_authorization",
    "identify_follower",
    "import_members",
    "lock_member",
    "lock_members",
    "merge_members",
    "note_unfollow",
    "register_follower",
    "register_member",
    "rename_member",
]
