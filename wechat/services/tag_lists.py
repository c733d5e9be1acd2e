"""Who carries each tag, as WeChat lists it: ten thousand a call. Official page "user tag management".

A page is one call and one transaction that also moves the reading on, fenced by the tag's lease: a killed reading is gone
on with.
"""

import datetime as dt
import logging
import time
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from core import clock
from core.errors import NotFound
from core.leases import LeaseLost, give_lease_back, is_free, keep_lease, take_lease
from core.outside import refuse_open_transaction
from wechat.client.errors import WeChatError
from wechat.client.gateway import GatewayClient
from wechat.models import FollowerTag
from wechat.models.account import AccountKind
from wechat.services import taggings
from wechat.services.clients import client_for
from wechat.services.follower_tags import SYSTEM_TAGS
from wechat.services.openid_pages import read_openid_page

logger = logging.getLogger(__name__)

EVERY: Final = dt.timedelta(hours=6)
TURN_S: Final = 45.0
# Longer lists are read once a day: a tag of a million costs a hundred calls.
LONG_LIST: Final = 50_000
_DAILY: Final = dt.timedelta(hours=24)


def read_tag_lists(*, tag_pks: list[int] | None = None, turn_s: float = TURN_S) -> int:
    """The lists of all tags that are due (of these tags: due or not) are read on for a turn; pages read. What another worker
    reads is left to it, and an account that WeChat does not answer for is left for later."""
    refuse_open_transaction()
    now = clock.now()
    tags = FollowerTag.objects.live().exclude(wechat_tag_id__in=SYSTEM_TAGS)
    tags = tags.filter(is_free(now), account__is_active=True, account__kind=AccountKind.OFFICIAL)
    due = _due(now) if tag_pks is None else Q(pk__in=tag_pks)
    ends_at, pages, silent = time.monotonic() + turn_s, 0, set()
    waiting = tags.filter(due).order_by(F("listed_at").asc(nulls_first=True), "pk")
    for tag_pk, account_id in list(waiting.values_list("pk", "account_id")):
        if account_id in silent or time.monotonic() > ends_at:
            continue
        read, is_answered = _read(tag_pk, account_id, ends_at)
        pages += read
        if not is_answered:
            silent.add(account_id)
    return pages


def _due(now: dt.datetime) -> Q:
    under_way = Q(list_started_at__isnull=False)
    old = Q(listed_at__isnull=True) | Q(listed_at__lt=now - _DAILY)
    return under_way | old | Q(listed_at__lt=now - EVERY, follower_count__lt=LONG_LIST)


def _read(tag_pk: int, account_id: int, ends_at: float) -> tuple[int, bool]:
    """Pages read of this tag's list, and whether WeChat answered."""
    row = FollowerTag.objects.filter(pk=tag_pk)
    holder = take_lease(row)
    if holder is None:
        return 0, True
    pages, is_answered = 0, True
    try:
        client = client_for(account_id)
        is_more = True
        while is_more and time.monotonic() < ends_at:
            is_more = _page(client, row, holder)
            pages += 1
    except NotFound:
        is_answered = False
    except LeaseLost:
        return pages, True
    except WeChatError as error:
        logger.info("wechat.tag_list_not_read", extra={"tag": tag_pk, "errcode": error.errcode})
        is_answered = False
    give_lease_back(row, holder=holder)
    return pages, is_answered


def _page(client: GatewayClient, row: Any, holder: str) -> bool:
    """One page is kept; whether there is more."""
    tag = row.get()
    asked_at = clock.now()
    started_at = tag.list_started_at or asked_at
    answer = client.tag.get_tag_users(tag.wechat_tag_id, tag.list_next or None)
    openids, _count, next_openid = read_openid_page(answer, path="/cgi-bin/user/tag/get", counter="count")
    is_more = bool(openids) and bool(next_openid) and next_openid != tag.list_next
    with transaction.atomic():
        if is_more:
            keep_lease(row, holder=holder, list_started_at=started_at, list_next=next_openid)
        else:
            keep_lease(row, holder=holder, list_started_at=None, list_next="", listed_at=asked_at)
        taggings.keep_listed(tag_pk=tag.pk, openids=openids, run_at=started_at, asked_at=asked_at)
        if not is_more:
            taggings.close_list(tag_pk=tag.pk, run_at=started_at)
    return is_more
