"""Who writes to the account: an openid's member, registered when she is met for the first time."""

import datetime as dt

from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services
from wechat.services import accounts


def find_talker(*, account_id: int, app_id: str, openid: str, actor: Actor, at: dt.datetime) -> int | None:
    """The living member behind an openid that just acted. A follower nobody had registered (she followed before the
    account was connected) is a prospect now; a stranger of a mini-program is nobody: she has not logged in."""
    if accounts.get_account(account_id).kind == "mini_program":
        return member_selectors.find_member_id("mini_openid", app_id, openid)
    found = member_selectors.find_member_id("openid", app_id, openid)
    if found is not None:
        return found
    return member_services.register_follower(app_id=app_id, openid=openid, actor=actor, at=at).id
