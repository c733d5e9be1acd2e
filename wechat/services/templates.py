"""Templates of the accounts: fetched from WeChat, kept as rows, looked up by whoever sends.

Official pages "template message management" and "get the account's templates".
"""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from core import clock
from core.actor import Actor
from core.errors import Refusal
from wechat.client.errors import UnreadableAnswer, WeChatError
from wechat.contracts import AccountCard, Channel, Mirrored, TemplateCard, TemplateField
from wechat.errors import TemplateGone
from wechat.models import Account, MessageTemplate
from wechat.models.account import AccountKind
from wechat.services.accounts import get_account
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal
from wechat.services.lanes import open_lane
from wechat.services.mirroring import mirror_rows
from wechat.services.template_fields import fit_fields, read_template

__all__ = [
    "find_template", "fit_fields", "get_template", "list_templates", "live_title", "sync_all_templates",
    "sync_templates",
]  # fmt: skip

logger = logging.getLogger(__name__)

_LASTING = 3  # a mini-program's template type: 2 for one message a consent, 3 for many


def list_templates(*, account_id: int | None = None, with_gone: bool = False) -> Sequence[TemplateCard]:
    """The templates of one account, or of all that are in use, by account and title."""
    rows = _rows(with_gone=with_gone)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    return [card_of(row) for row in rows.order_by("account_id", "title", "pk")]


def find_template(*, account_id: int, template_id: str) -> TemplateCard | None:
    """The account's template of that id, gone or not; None when it was never seen."""
    row = _rows().filter(account_id=account_id, template_id=template_id).first()
    return None if row is None else card_of(row)


def live_title(*, account: str, template: str) -> Subquery:
    """For another app's rows: the title of the template that they name by these columns; NULL when it is gone."""
    rows = MessageTemplate.objects.live().filter(account_id=OuterRef(account), template_id=OuterRef(template))
    return Subquery(rows.values("title")[:1])


def get_template(pk: int) -> TemplateCard:
    """The template of our row. Raises TemplateGone when there is none."""
    row = _rows().filter(pk=pk).first()
    if row is None:
        raise TemplateGone
    return card_of(row)


def card_of(row: MessageTemplate) -> TemplateCard:
    """A row as it leaves the gateway; its account is read with it."""
    is_official = row.account.kind == AccountKind.OFFICIAL
    return TemplateCard(
        id=row.pk,
        account_id=row.account_id,
        account_name=row.account.name,
        app_id=row.account.app_id,
        channel="template" if is_official else "subscription",
        template_id=row.template_id,
        title=row.title,
        content=row.content,
        example=row.example,
        fields=tuple(TemplateField(**field) for field in row.fields),
        is_lasting=row.is_lasting,
        is_live=row.gone_at is None,
        synced_at=row.synced_at,
    )


def _rows(*, with_gone: bool = True) -> QuerySet[MessageTemplate]:
    rows = MessageTemplate.objects.all() if with_gone else MessageTemplate.objects.live()
    return rows.select_related("account")


def sync_templates(*, account_id: int, actor: Actor, at: dt.datetime | None = None) -> Mirrored:
    """The account's templates are as WeChat has them now; those it has no more are marked, not deleted.

    Two at once end the same. Raises NotFound for no active account; WeChatAway or WeChatRefused. Not inside a
    transaction.
    """
    account = get_account(account_id)
    try:
        found = _fetch(account)
    except WeChatError as error:
        raise to_refusal(error) from error
    now = at or clock.now()
    channel: Channel = "template" if account.kind == "official" else "subscription"
    open_lane(account_id=account_id, channel=channel, at=now)  # so that staff can set its rate
    return mirror_rows(
        MessageTemplate,
        key="template_id",
        account_id=account_id,
        found=found,
        actor=actor,
        at=now,
    )


def sync_all_templates() -> int:
    """Every active account's templates are as WeChat has them; how many accounts were synchronised. One that fails does
    not keep the others from it."""
    done = 0
    for account_id in Account.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        try:
            sync_templates(account_id=account_id, actor=Actor.system("sync_templates"))
        except Refusal as refusal:
            logger.warning(
                "wechat.templates_not_synced", extra={"account_id": account_id, "reason": refusal.code}
            )
        else:
            done += 1
    return done


def _fetch(account: AccountCard) -> dict[str, dict[str, Any]]:
    """WeChat's templates by id. Raises WeChatError, also when the answer is not a list of templates."""
    client = client_for(account.id)
    if account.kind == "official":
        answer, listed_as, id_name = (
            client.template.get_all_private_template(),
            "template_list",
            "template_id",
        )
    else:
        answer, listed_as, id_name = client.wxa.list_templates(), "data", "priTmplId"
    listed = answer.get(listed_as)
    if not isinstance(listed, list):
        raise UnreadableAnswer(f"templates of {account.kind}", errmsg="no list of templates")
    found = {}
    for entry in listed:
        if not isinstance(entry, dict) or not isinstance(entry.get(id_name), str):
            raise UnreadableAnswer(f"templates of {account.kind}", errmsg="a template without an id")
        content, example = _text(entry, "content"), _text(entry, "example")
        found[entry[id_name]] = {
            "title": _text(entry, "title")[:120],
            "content": content,
            "example": example,
            "fields": read_template(content, example),
            "is_lasting": entry.get("type") == _LASTING,
        }
    return found


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
