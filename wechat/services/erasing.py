"""What the gateway keeps about one person: told to her, and forgotten when she is erased.

She is named by (app id, openid) pairs: the gateway knows no member. Nothing here opens a socket; it runs inside the
caller's transaction.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import clock
from wechat.models import Account, Follower, FollowerTagging, InboundEvent, OutboundMessage, TemplateTrial
from wechat.models.inbox import InboundState
from wechat.models.outbox import MessageState
from wechat.services import parsing
from wechat.services.forgotten import remember_forgotten
from wechat.services.taggings import forget_taggings

Person = Sequence[tuple[str, str]]  # (app id, openid)


def export_person(*, people: Person) -> dict[str, list[dict[str, Any]]]:
    """Her relations to the accounts, and what she wrote and was written, as far as it is still kept."""
    whose = _whose(people)
    if whose is None:
        return {}
    return {
        _("公众号与小程序"): [
            {
                _("账号"): row.account.name,
                _("关注中"): row.is_following,
                _("关注时间"): _iso(row.followed_at),
                _("取关时间"): _iso(row.unfollowed_at),
            }
            for row in Follower.objects.filter(whose).select_related("account").order_by("pk")
        ],
        _("发给公众号的消息"): [
            {_("时间"): _iso(row.received_at), _("类型"): row.kind, _("内容"): _said(row.raw)}
            for row in InboundEvent.objects.filter(whose).order_by("pk")
        ],
        _("公众号发出的消息"): [
            {
                _("时间"): _iso(row.created_at),
                _("状态"): str(row.get_state_display()),
                _("内容"): row.payload.get("text", row.payload),
            }
            for row in OutboundMessage.objects.filter(whose).order_by("pk")
        ],
        _("公众号给您的标签"): [
            {_("标签"): row.tag.name, _("微信里已打上"): row.is_there}
            for row in _taggings(people).select_related("tag").order_by("pk")
        ],
        _("试发给您的模板消息"): [
            {_("时间"): _iso(row.tried_at), _("模板"): row.template.title}
            for row in _trials(people).select_related("template").order_by("pk")
        ],
    }


def erase_person(*, people: Person, unionids: Iterable[str] = (), at: dt.datetime | None = None) -> int:
    """No follower, push or message names her or tells what she said; rows touched. Where she follows on, the list of
    followers does not bring her back (`wechat.services.forgotten`), and WeChat's tags are taken off her: until they are,
    their rows name her, a week at most.

    Pushes keep their dedupe key, so that a retry of WeChat's does not bring her back; those that wait are not worked
    off any more, messages that wait are not sent. Rows that a worker holds this moment lose their content, and keep
    the state that the worker will set.
    """
    at = at or clock.now()
    followers = Follower.objects.none()
    touched = 0
    whose = _whose(people)
    if whose is not None:
        touched += _blank_pushes(InboundEvent.objects.filter(whose), at)
        touched += _blank(OutboundMessage.objects.filter(whose), at)
        touched += _trials(people).delete()[0]
        touched += forget_taggings(_taggings(people), at=at)
        followers = Follower.objects.filter(whose)
    known = [unionid for unionid in unionids if unionid]
    followers |= Follower.objects.filter(unionid__in=known)
    for account_id, openid in followers.filter(is_following=True).values_list("account_id", "openid"):
        remember_forgotten(account_id=account_id, openids=[openid], at=at)
    return touched + followers.delete()[0]


def blank_messages(*, reason_keys: Iterable[str], at: dt.datetime | None = None) -> int:
    """Messages that were written to others about her say nothing any more; those that wait are not sent."""
    return _blank(OutboundMessage.objects.filter(reason_key__in=list(reason_keys)), at or clock.now())


def _blank_pushes(pushes: QuerySet[InboundEvent], at: dt.datetime) -> int:
    stored = pushes.filter(state__in=[InboundState.STORED, InboundState.FAILED, InboundState.UNREADABLE])
    ids = list(pushes.values_list("pk", flat=True))
    stored.update(state=InboundState.IGNORED, finished_at=at, retry_not_before=None)
    return InboundEvent.objects.filter(pk__in=ids).update(openid="", raw="", failure="")


def _blank(messages: QuerySet[OutboundMessage], at: dt.datetime) -> int:
    ids = list(messages.values_list("pk", flat=True))
    rows = OutboundMessage.objects.filter(pk__in=ids)
    rows.filter(state__in=[MessageState.HELD, MessageState.QUEUED]).update(
        state=MessageState.DROPPED, finished_at=at, outcome=_("会员已注销")
    )
    return rows.update(openid="", payload={})


def _whose(people: Person, account_of: str = "account") -> Q | None:
    """The rows of these openids in their accounts, or None when there is no such account. `account_of`: by which path
    the rows name theirs."""
    by_app: dict[str, list[str]] = {}
    for app_id, openid in people:
        by_app.setdefault(app_id, []).append(openid)
    whose = Q()
    for account in Account.objects.filter(app_id__in=list(by_app)):
        whose |= Q(**{account_of: account, "openid__in": by_app[account.app_id]})
    return whose or None


def _trials(people: Person) -> QuerySet[TemplateTrial]:
    whose = _whose(people, "template__account")
    return TemplateTrial.objects.none() if whose is None else TemplateTrial.objects.filter(whose)


def _taggings(people: Person) -> QuerySet[FollowerTagging]:
    whose = _whose(people, "tag__account")
    return FollowerTagging.objects.none() if whose is None else FollowerTagging.objects.filter(whose)


def _said(raw: str) -> str:
    """What she wrote, if it was text; of other pushes their kind says enough."""
    try:
        return parsing.text_field(parsing.read_fields(raw), "Content")
    except parsing.Unreadable:
        return ""


def _iso(at: dt.datetime | None) -> str:
    return at.isoformat() if at is not None else ""
