"""For the gateway's desks, which know no member: whose openid is meant by a phone number, a member code or a name."""

from core.admin import register_answer
from members import selectors


def openid_of_words(text: str) -> str | None:
    """`<app id> <words>`: the openid of the one member who is meant, or None when nobody or several may be."""
    app_id, _blank, words = text.partition(" ")
    if not words.strip():
        return None
    found = list(selectors.search_member_ids(words)[:2])
    return selectors.find_openid(found[0], app_id) if len(found) == 1 else None


register_answer("openid_of_words", openid_of_words)
