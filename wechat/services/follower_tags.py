"""Tags of an account's followers: mirrored from WeChat, made, renamed and deleted through it.

Official page "user tag management". WeChat is the truth: a change is asked of it first and written down after, so a
process that dies in between leaves what the next synchronisation mends.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound, Refusal
from wechat import errors
from wechat.client.errors import UnreadableAnswer, WeChatError
from wechat.client.gateway import GatewayClient
from wechat.contracts import FollowerTagCard, Mirrored
from wechat.models import Account, FollowerTag
from wechat.models.account import AccountKind
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal
from wechat.services.mirroring import mirror_rows

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

LONGEST_NAME: Final = 30
_GREATEST: Final = 2**31 - 1
SYSTEM_TAGS: Final = frozenset({0, 1, 2})
_REFUSALS: Final[dict[int, type[Refusal]]] = {
    45056: errors.TooManyFollowerTags,
    45057: errors.FollowerTagTooPopular,
    45058: errors.SystemFollowerTag,
    45157: errors.FollowerTagNameTaken,
    45158: errors.FollowerTagNameUnfit,
    45159: errors.FollowerTagGone,
}


def list_follower_tags(
    *, account_id: int | None = None, with_gone: bool = False
) -> Sequence[FollowerTagCard]:
    """The tags of one account, or of all, by account and name."""
    rows = FollowerTag.objects.all() if with_gone else FollowerTag.objects.live()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    return [_card(row) for row in rows.select_related("account").order_by("account_id", "name", "pk")]


def get_live_follower_tag(pk: int) -> FollowerTagCard:
    """Raises FollowerTagGone for one that WeChat does not have, and SystemFollowerTag for its own."""
    return _card(_get(pk))


def sync_all_follower_tags() -> int:
    """Every active official account's tags are as WeChat has them; how many accounts were synchronised. One that fails
    does not keep the others from it."""
    done = 0
    mine = Account.objects.filter(is_active=True, kind=AccountKind.OFFICIAL)
    for account_id in mine.order_by("pk").values_list("pk", flat=True):
        try:
            sync_follower_tags(account_id=account_id, actor=Actor.system("sync_follower_tags"))
        except Refusal as refusal:
            logger.warning("wechat.tags_not_synced", extra={"account_id": account_id, "reason": refusal.code})
        else:
            done += 1
    return done


def sync_follower_tags(*, account_id: int, actor: Actor, at: dt.datetime | None = None) -> Mirrored:
    """The account's tags are as WeChat has them now; those it has no more are marked, not deleted.

    Two at once end the same. Raises NotFound for no active official account; WeChatAway or WeChatRefused. Not inside a
    transaction.
    """
    return mirror_rows(
        FollowerTag,
        key="wechat_tag_id",
        account_id=account_id,
        found=_ask(account_id, _fetch),
        restless=["follower_count"],
        actor=actor,
        at=at or clock.now(),
    )


def create_follower_tag(
    *, account_id: int, name: str, actor: Actor, at: dt.datetime | None = None
) -> FollowerTagCard:
    """WeChat has a tag of that name for the account's followers, and so have we.

    Refuses a name WeChat would not take (FollowerTagNameUnfit), one there is (FollowerTagNameTaken), and the 101st
    (TooManyFollowerTags). Raises NotFound for no active official account; WeChatAway or WeChatRefused.
    """
    name = _fitting(name)
    tag_id = _ask(account_id, lambda client: _id_of(client.tag.create(name)))
    now = at or clock.now()
    with transaction.atomic():
        row, _is_new = FollowerTag.objects.update_or_create(
            account_id=account_id,
            wechat_tag_id=tag_id,
            defaults={"name": name, "synced_at": now, "gone_at": None},
        )
        audit.record(action="wechat.followertag.add", subject=row, actor=actor, at=now)
    return _card(row)


def rename_follower_tag(
    *, pk: int, name: str, actor: Actor, at: dt.datetime | None = None
) -> FollowerTagCard:
    """The tag has that name in WeChat and here. Refuses as `create_follower_tag` does, and WeChat's own tags
    (SystemFollowerTag)."""
    name = _fitting(name)
    row = _get(pk)
    _ask(row.account_id, lambda client: client.tag.update(row.wechat_tag_id, name))
    return _settle(row, "wechat.followertag.rename", actor, at or clock.now(), name=name)


def delete_follower_tag(*, pk: int, actor: Actor, at: dt.datetime | None = None) -> FollowerTagCard:
    """WeChat has the tag no more, so nobody carries it; our row is marked. Refuses (FollowerTagTooPopular) one that
    more than 100,000 carry, and WeChat's own (SystemFollowerTag)."""
    row = _get(pk)
    _ask(row.account_id, lambda client: client.tag.delete(row.wechat_tag_id))
    now = at or clock.now()
    return _settle(row, "wechat.followertag.delete", actor, now, gone_at=now)


def _card(row: FollowerTag) -> FollowerTagCard:
    return FollowerTagCard(
        id=row.pk,
        account_id=row.account_id,
        app_id=row.account.app_id,
        wechat_tag_id=row.wechat_tag_id,
        name=row.name,
        follower_count=row.follower_count,
        is_live=row.gone_at is None,
        listed_at=row.listed_at,
        synced_at=row.synced_at,
    )


def _get(pk: int) -> FollowerTag:
    row = FollowerTag.objects.live().select_related("account").filter(pk=pk).first()
    if row is None:
        raise errors.FollowerTagGone
    if row.wechat_tag_id in SYSTEM_TAGS:
        raise errors.SystemFollowerTag
    return row


def _settle(row: FollowerTag, action: str, actor: Actor, now: dt.datetime, **values: Any) -> FollowerTagCard:
    with transaction.atomic():
        row = FollowerTag.objects.lock(row.pk)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=[*values])
        audit.record(action=action, subject=row, actor=actor, at=now)
    return _card(row)


def _fitting(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or "\0" in name:
        raise errors.FollowerTagNameUnfit(field="name")
    return name


def _ask(account_id: int, call: Callable[[GatewayClient], Answer]) -> Answer:
    """What WeChat answers, its refusals in our words."""
    if not Account.objects.filter(pk=account_id, kind=AccountKind.OFFICIAL).exists():
        raise NotFound
    try:
        return call(client_for(account_id))
    except WeChatError as error:
        refusal = _REFUSALS.get(error.errcode or 0)
        raise (refusal(errcode=error.errcode) if refusal else to_refusal(error)) from error


def _fetch(client: GatewayClient) -> dict[int, dict[str, Any]]:
    listed = client.tag.get()
    if not isinstance(listed, list):
        raise UnreadableAnswer("/cgi-bin/tags/get", errmsg="no list of tags")
    found = {}
    for entry in listed:
        tag_id = _number(entry, "id")
        name = entry.get("name") if isinstance(entry, dict) else None
        if tag_id is None or not isinstance(name, str):
            raise UnreadableAnswer("/cgi-bin/tags/get", errmsg="a tag without id or name")
        found[tag_id] = {"name": name[:60], "follower_count": _number(entry, "count") or 0}
    return found


def _id_of(tag: Any) -> int:
    tag_id = _number(tag, "id")
    if tag_id is None:
        raise UnreadableAnswer("/cgi-bin/tags/create", errmsg="a tag without id")
    return tag_id


def _number(entry: Any, name: str) -> int | None:
    value = entry.get(name) if isinstance(entry, dict) else None
    return value if isinstance(value, int) and 0 <= value <= _GREATEST else None
