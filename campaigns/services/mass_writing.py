"""Mass messages while they are written: saved, taken back before they go, given up, and shown to a colleague."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction

from campaigns.contracts import MassDraft
from campaigns.contracts.mass import LIST, TAG
from campaigns.errors import MassChanged, MassListEmpty, MassListTooLong, MassUnfit
from campaigns.models import MassMessage, MassPurpose, MassRecipient, MassState
from campaigns.selectors.mass import recipients_of
from campaigns.services.mass_parts import LONGEST_LIST, join_parts
from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from core.models import changed_fields
from members import selectors as member_selectors
from wechat.contracts import MassContent, SendOutcome
from wechat.errors import NotAnOfficialAccount
from wechat.services import follower_tags, mass
from wechat.services.accounts import get_account
from wechat.services.contents import text_content

_LONGEST_NAME: Final = 60
_LONGEST_MEDIA_ID: Final = 200


def save_mass_message(
    *,
    draft: MassDraft,
    message_id: int | None = None,
    revision: int = 0,
    actor: Actor,
    at: dt.datetime | None = None,
) -> MassMessage:
    """The draft says this and goes to these; it is made when no id is given.

    `revision` is the one that was edited. Raises MassUnfit and MessageUnfit with the field, MassListEmpty,
    MassListTooLong, MassChanged when it is no draft any more or somebody saved meanwhile, NotFound.
    """
    now = at or clock.now()
    values = _checked(draft) | {
        "written_by_id": actor.id,
        "written_by": actor.label[:80],
        "written_at": now,
        "code": "",
        "errcode": None,
    }
    openids = _openids_of(draft)
    with transaction.atomic():
        if message_id is None:
            row = MassMessage.objects.create(account_id=draft.account_id, **values)
        else:
            row = MassMessage.objects.lock(message_id)
            if row.state != MassState.DRAFT or row.revision != revision:
                raise MassChanged
            if row.account_id != draft.account_id:
                raise MassUnfit(field="account")
            row.save(update_fields=changed_fields(row, revision=revision + 1, **values))
        _keep_list(row, draft, openids)
        audit.record(
            action="campaigns.mass_written" if message_id is None else "campaigns.mass_changed",
            subject=row,
            actor=actor,
            at=now,
            audience=row.audience,
        )
    return row


def _checked(draft: MassDraft) -> dict[str, Any]:
    """The columns of a draft. Raises for what WeChat would refuse."""
    if get_account(draft.account_id).kind != "official":
        raise NotAnOfficialAccount
    content = draft.content
    if not draft.name.strip():
        raise MassUnfit(field="name")
    text = text_content(text=content.text).payload["text"] if content.kind == "text" else ""
    if content.kind == "image" and not content.picture:
        raise MassUnfit(field="picture")
    if content.kind == "article" and not 1 <= len(content.media_id.strip()) <= _LONGEST_MEDIA_ID:
        raise MassUnfit(field="article")
    tag = None
    if draft.audience == TAG:
        tags = follower_tags.list_follower_tags(account_id=draft.account_id)
        tag = next((one for one in tags if one.wechat_tag_id == draft.tag_id), None)
        if tag is None:
            raise MassUnfit(field="tag")
    return {
        "name": draft.name.strip()[:_LONGEST_NAME],
        "kind": content.kind,
        "text": text,
        "picture": content.picture if content.kind == "image" else "",
        "article_media_id": content.media_id.strip() if content.kind == "article" else "",
        "article_title": draft.article_title[:200] if content.kind == "article" else "",
        "purpose": MassPurpose(draft.purpose),
        "audience": draft.audience,
        "tag_id": tag.wechat_tag_id if tag else None,
        "tag_name": tag.name if tag else "",
    }


def _openids_of(draft: MassDraft) -> Sequence[str] | None:
    """Whom a new list names, by the newest openid of each; None when the list stays as it is."""
    if draft.audience != LIST:
        return ()
    if draft.member_ids is None:
        return None
    if len(draft.member_ids) > LONGEST_LIST:
        raise MassListTooLong
    app_id = get_account(draft.account_id).app_id
    return [hers[0] for hers in member_selectors.list_openids(draft.member_ids, app_id).values()]


def _keep_list(row: MassMessage, draft: MassDraft, openids: Sequence[str] | None) -> None:
    if openids is None:
        if not row.recipients.exists():
            raise MassListEmpty(field="file")
        return
    row.recipients.all().delete()
    _fill_list(row, openids)
    row.list_name = draft.list_name[:80] if draft.audience == LIST else ""
    row.bad_lines = {str(line): code for line, code in draft.bad_lines.items()}
    row.save(update_fields=["list_name", "bad_lines"])


def _fill_list(row: MassMessage, openids: Sequence[str]) -> None:
    MassRecipient.objects.bulk_create(
        [MassRecipient(message=row, openid=openid) for openid in dict.fromkeys(openids)], batch_size=2_000
    )


def copy_mass_message(*, message_id: int, actor: Actor, at: dt.datetime | None = None) -> MassMessage:
    """A new draft says the same and goes to the same; a list is the source's, as far as it is still kept. Raises NotFound."""
    now = at or clock.now()
    with transaction.atomic():
        source = MassMessage.objects.lock(message_id)
        names = (
            "account_id", "name", "kind", "text", "picture", "article_media_id", "article_title", "purpose", "audience",
            "tag_id", "tag_name", "list_name", "bad_lines",
        )  # fmt: skip
        row = MassMessage.objects.create(
            written_by_id=actor.id,
            written_by=actor.label[:80],
            written_at=now,
            **{name: getattr(source, name) for name in names},
        )
        openids = recipients_of(source).order_by("pk").values_list("openid", flat=True)
        _fill_list(row, list(openids))
        audit.record(action="campaigns.mass_copied", subject=row, actor=actor, at=now, copied_id=source.pk)
    return row


def recall_mass_message(*, message_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A message that has not gone out, or that WeChat surely did not take, is a draft again and can be changed. Raises
    MassChanged when it is going, or has gone."""
    _turn(
        message_id,
        {MassState.CONFIRMED, MassState.FAILED},
        MassState.DRAFT,
        "campaigns.mass_recalled",
        actor,
        at,
    )


def drop_mass_message(*, message_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A draft is given up. Raises MassChanged for anything else."""
    _turn(message_id, {MassState.DRAFT}, MassState.DROPPED, "campaigns.mass_dropped", actor, at)


def _turn(
    message_id: int,
    allowed: set[MassState],
    state: MassState,
    action: str,
    actor: Actor,
    at: dt.datetime | None,
) -> None:
    """Nobody sends it meanwhile: a worker that has it holds its lease, or its row's lock for the moment of taking it."""
    now = at or clock.now()
    with transaction.atomic():
        row = MassMessage.objects.lock(message_id)
        is_held = row.leased_until is not None and row.leased_until > now
        if row.state not in allowed or is_held or not join_parts(whole=row, allowed=allowed):
            raise MassChanged
        row.state = state
        row.client_msg_id, row.not_before, row.first_tried_at, row.attempt_count = "", None, None, 0
        row.confirmed_by_id, row.confirmed_by, row.confirmed_at, row.send_until = None, "", None, None
        row.save(
            update_fields=[
                "state", "client_msg_id", "not_before", "first_tried_at", "attempt_count", "confirmed_by_id",
                "confirmed_by", "confirmed_at", "send_until",
            ]
        )  # fmt: skip
        row.recipients.exclude(left_out="").update(left_out="")
        audit.record(action=action, subject=row, actor=actor, at=now)


def preview_mass_message(
    *,
    message_id: int,
    openid: str = "",
    wxname: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> SendOutcome:
    """One colleague gets it now, by openid or WeChat name; what came of it. A hundred a day per account, by WeChat's count.
    Raises NotFound. Not inside a transaction."""
    now = at or clock.now()
    row = get_mass_message(message_id)
    outcome = mass.preview_mass(
        account_id=row.account_id, content=content_of(row), openid=openid, wxname=wxname
    )
    if outcome.state == "sent":
        MassMessage.objects.filter(pk=row.pk).update(previewed_revision=row.revision)
    audit.record(
        action="campaigns.mass_previewed",
        subject=row,
        actor=actor,
        at=now,
        outcome=outcome.code or outcome.state,
    )
    return outcome


def get_mass_message(message_id: int) -> MassMessage:
    """Raises NotFound."""
    row = MassMessage.objects.filter(pk=message_id).first()
    if row is None:
        raise NotFound
    return row


def content_of(row: MassMessage) -> MassContent:
    """What the message says, as the gateway takes it."""
    return MassContent(
        kind=row.kind,  # type: ignore[arg-type]
        text=row.text,
        picture=row.picture.name or "",
        media_id=row.article_media_id,
    )
