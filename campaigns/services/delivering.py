"""What WeChat tells of a message after it took it."""

import datetime as dt
from typing import Final

from django.db import transaction

from campaigns.contracts import ReachTry
from campaigns.contracts import reaches as why
from campaigns.models import Reach, ReachBar, ReachState
from core.errors import Unavailable
from members import selectors as member_selectors

# WeChat tells within seconds; an id that old is another message's.
_TOLD_WITHIN: Final = dt.timedelta(days=2)


def note_delivery(
    *,
    account_id: int,
    app_id: str,
    openid: str,
    channel: str,
    message_id: str,
    is_delivered: bool,
    is_blocked: bool = False,
    at: dt.datetime,
) -> bool:
    """The message arrived, or it did not: then the next channel of its chain is tried. False for one that is not ours.

    WeChat may be faster than the sender's own note: while one of hers is under way it raises Unavailable, and the push is
    looked at again.
    """
    member_id = member_selectors.find_member_id("openid", app_id, openid) or member_selectors.find_member_id(
        "mini_openid", app_id, openid
    )
    if member_id is None:
        return False
    hers = Reach.objects.filter(member_id=member_id, channel=channel)
    with transaction.atomic():
        rows = (
            hers.filter(message_id=message_id, sent_at__gt=at - _TOLD_WITHIN).lock_rows()
            if message_id
            else []
        )
        if rows:
            if rows[0].state != ReachState.SENT:
                return False
            code = "wechat.blocked" if is_blocked else why.NOT_DELIVERED
            if is_blocked:
                ReachBar.objects.update_or_create(
                    member_id=rows[0].member_id,
                    account_id=account_id,
                    defaults={"code": code, "barred_at": at},
                )
            write_delivery(rows[0], is_delivered=is_delivered, code=code, at=at)
            return True
    if hers.filter(state=ReachState.SENDING).exists():
        raise Unavailable
    return False


def write_delivery(row: Reach, *, is_delivered: bool, code: str, at: dt.datetime) -> None:
    """The locked row's message arrived; or the next channel of its chain is tried, and `code` says why."""
    if is_delivered:
        row.state, row.code = ReachState.DELIVERED, ""
        row.save(update_fields=["state", "code"])
        return
    row.tries = [*row.tries, ReachTry(row.channel, code, at).pack()]
    row.step += 1
    row.state, row.code, row.channel, row.message_id = ReachState.QUEUED, code, "", ""
    row.sent_at, row.finished_at, row.not_before = None, None, at
    row.save(
        update_fields=[
            "tries", "step", "state", "code", "channel", "message_id", "sent_at", "finished_at", "not_before",
        ]
    )  # fmt: skip
