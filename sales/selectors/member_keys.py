"""The fingerprints under which waiting documents name a member."""

from typing import Final

from core import codes, crypto
from members import selectors as member_selectors
from sales.contracts import MemberKey

_CONTEXT: Final = "sales.held"


def member_index(member: MemberKey | None) -> str:
    """What stands on the row of a document that names this member; empty when it names nobody."""
    if member is None:
        return ""
    if member.kind == "phone":
        return member_selectors.phone_index_of(member.value)
    value = codes.normalize(member.value) if member.kind == "member_code" else member.value
    return crypto.blind_index(f"{member.kind}\0{value}", context=_CONTEXT)


def member_indexes(member: MemberKey) -> list[str]:
    """The same under every index key, for rows that were written before a key was replaced."""
    if member.kind == "phone":
        return member_selectors.phone_indexes_of(member.value)
    value = codes.normalize(member.value) if member.kind == "member_code" else member.value
    return crypto.blind_indexes(f"{member.kind}\0{value}", context=_CONTEXT)


def member_key_indexes(member_id: int) -> list[str]:
    """Every fingerprint under which a document may name her, also under index keys that are being replaced."""
    found: list[str] = []
    known = member_selectors.list_identity_values(member_id)
    for kind, value in [*known, ("member_code", member_selectors.get_member_card(member_id).code)]:
        if kind == "phone":
            found.append(value)
        else:
            found += crypto.blind_indexes(f"{kind}\0{value}", context=_CONTEXT)
    return found
