"""Trying a template: one real message to one person, with what came of it.

The row is written before the message leaves, so that a trial whose process died is seen. The delivery is read out of
the inbox, where its push is kept: it may be there before the trial's row knows the message's id.
"""

import dataclasses
import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core import audit, clock
from core.actor import Actor
from wechat.contracts import SendOutcome, TemplateCard
from wechat.models import InboundEvent, MessageTemplate, TemplateTrial
from wechat.services import direct, parsing, send_results
from wechat.services.template_fields import fit_fields
from wechat.services.templates import get_template

SHOWN: Final = 10
_RESULT_KINDS: Final = ("event.templatesendjobfinish", "event.subscribe_msg_sent_event")


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """One trial: `state`, `code` and `errcode` of its outcome ("" while it is under way); `delivery` is success,
    blocked, failed, or "" while WeChat has not told."""

    id: int
    openid: str
    tried_at: dt.datetime
    tried_by: str
    state: str
    code: str
    errcode: int | None
    field: str
    delivery: str


def try_template(
    *,
    template_pk: int,
    openid: str,
    values: Mapping[str, Any],
    actor: Actor,
    url: str = "",
    page: str = "",
    at: dt.datetime | None = None,
) -> SendOutcome:
    """One message of the template goes to her now, whatever the channel's rate is; what came of it is kept with the
    template. Raises TemplateGone, TemplateFieldUnfit. Not inside a transaction."""
    now = at or clock.now()
    card = get_template(template_pk)
    fields = fit_fields(card, values)
    trial = TemplateTrial.objects.create(
        template_id=card.id, openid=openid, tried_at=now, tried_by=actor.label[:80]
    )
    outcome = _send(card, openid, fields, url, page)
    TemplateTrial.objects.filter(pk=trial.pk).update(
        state=outcome.state,
        code=outcome.code,
        errcode=outcome.errcode,
        field=outcome.field[:40],
        message_id=outcome.message_id[:40],
    )
    audit.record(
        action="wechat.template.try",
        subject=MessageTemplate(pk=card.id),
        actor=actor,
        at=now,
        outcome=outcome.code or outcome.state,
    )
    return outcome


def _send(card: TemplateCard, openid: str, fields: Mapping[str, str], url: str, page: str) -> SendOutcome:
    with direct.courier(account_id=card.account_id) as carrying:
        if card.channel == "subscription":
            return carrying.send_subscription(
                openid=openid, template_id=card.template_id, fields=fields, page=page
            )
        return carrying.send_template(
            openid=openid,
            template_id=card.template_id,
            fields=fields,
            url=url,
            client_msg_id=secrets.token_hex(16),
        )


def list_trials(*, template_pk: int) -> Sequence[Trial]:
    """The newest trials of a template, with their delivery."""
    rows = list(
        TemplateTrial.objects.filter(template_id=template_pk)
        .select_related("template__account")
        .order_by("-tried_at", "-pk")[:SHOWN]
    )
    deliveries = _deliveries(rows) if rows else {}
    return [
        Trial(
            id=row.pk,
            openid=row.openid,
            tried_at=row.tried_at,
            tried_by=row.tried_by,
            state=row.state,
            code=row.code,
            errcode=row.errcode,
            field=row.field,
            delivery=deliveries.get((row.openid, row.message_id), "") if row.message_id else "",
        )
        for row in rows
    ]


def _deliveries(rows: Sequence[TemplateTrial]) -> dict[tuple[str, str], str]:
    """What WeChat told of messages to these people, by (openid, message id)."""
    account = rows[0].template.account
    pushes = InboundEvent.objects.filter(
        account=account,
        openid__in={row.openid for row in rows},
        kind__in=_RESULT_KINDS,
        received_at__gte=min(row.tried_at for row in rows) - dt.timedelta(minutes=1),
    ).order_by("pk")
    told: dict[tuple[str, str], str] = {}
    for push in pushes:
        try:
            fields = parsing.read_fields(push.raw)
        except parsing.Unreadable:
            continue
        for message_id, status in send_results.read_deliveries(push.kind, fields):
            told[push.openid, message_id] = status
    return told
