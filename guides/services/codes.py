"""Channel codes: opening, closing, and fetching their tickets from WeChat."""

import datetime as dt
import logging
from typing import Final

from django.db import transaction
from django.db.models import Q

from core import audit, clock, events
from core.actor import Actor
from core.errors import NotFound, Refusal, Unavailable
from guides.contracts import ChannelCodeCard
from guides.errors import ChannelCodeClosed, ChannelCodeUnusable, GuideHasLeft
from guides.events import ChannelCodeOpened
from guides.models import ChannelCode, CodeKind, CodePurpose, CodeTerm, Guide, GuideState
from guides.selectors.codes import code_card_of, list_codes_to_publish, wanting_ticket
from guides.services.organisation import lock_open_store
from wechat.contracts import QrTicket
from wechat.services import accounts, qrcodes

logger = logging.getLogger(__name__)

_LEASE: Final = dt.timedelta(minutes=1)
# The longest a temporary code may live (official page "生成带参数二维码").
_TICKET_LIFE: Final = dt.timedelta(days=30)
_SHORTEST_TICKET: Final = dt.timedelta(minutes=1)


def open_channel_code(
    *,
    guide_id: int | None = None,
    store_id: int | None = None,
    term: str = CodeTerm.TEMPORARY,
    label: str = "",
    valid_until: dt.datetime | None = None,
    purpose: str = CodePurpose.BINDING,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ChannelCodeCard:
    """A code exists for the guide, or for the store when no guide is named; its ticket is fetched after
    commit. One with a `purpose` binds like any other, and its scans are announced with that purpose.

    Refuses neither or both, a guide who has left, a closed store, and an end in the past.
    """
    at = at or clock.now()
    if (guide_id is None) == (store_id is None) or term not in CodeTerm.values:
        raise ChannelCodeUnusable
    if purpose not in CodePurpose.values:
        raise ChannelCodeUnusable(field="purpose")
    if valid_until is not None and valid_until <= at:
        raise ChannelCodeUnusable(field="valid_until")
    with transaction.atomic():
        guide: Guide | None = None
        if guide_id is not None:
            guide = Guide.objects.lock(guide_id)
            if guide.state != GuideState.ACTIVE:
                raise GuideHasLeft
            kind, place_id = CodeKind.GUIDE, guide.store_id
        else:
            assert store_id is not None
            kind, place_id = CodeKind.STORE, lock_open_store(store_id).pk
        return create_code(
            kind=kind,
            guide=guide,
            store_id=place_id,
            term=CodeTerm(term),
            label=label,
            valid_until=valid_until,
            purpose=CodePurpose(purpose),
            actor=actor,
            at=at,
        )


def create_code(
    *,
    kind: CodeKind,
    guide: Guide | None,
    store_id: int,
    term: CodeTerm = CodeTerm.TEMPORARY,
    label: str = "",
    valid_until: dt.datetime | None = None,
    purpose: CodePurpose = CodePurpose.BINDING,
    actor: Actor,
    at: dt.datetime,
) -> ChannelCodeCard:
    """The row of a new code; the caller holds the lock of its guide or store."""
    code = ChannelCode.objects.create(
        kind=kind,
        guide=guide,
        store_id=store_id,
        purpose=purpose,
        term=term,
        label=label[:40],
        created_at=at,
        valid_until=valid_until,
    )
    audit.record(action="guides.channel_code_opened", subject=code, actor=actor, at=at, term=term.value)
    events.publish(ChannelCodeOpened(code.pk))
    return code_card_of(code, at)


def close_channel_code(
    *, channel_code_id: int, actor: Actor, at: dt.datetime | None = None
) -> ChannelCodeCard:
    """Scans of this code bind nobody any more; it never opens again. Refuses one that is closed."""
    at = at or clock.now()
    with transaction.atomic():
        code = ChannelCode.objects.lock(channel_code_id)
        if code.closed_at is not None:
            raise ChannelCodeClosed
        code.closed_at = at
        code.save(update_fields=["closed_at"])
        audit.record(action="guides.channel_code_closed", subject=code, actor=actor, at=at)
        return code_card_of(code, at)


def publish_channel_code(channel_code_id: int, *, at: dt.datetime | None = None) -> ChannelCodeCard:
    """WeChat knows the code and we know what its image must hold; for temporary ones, for thirty more days.

    Called twice, even at once, it asks WeChat once: a lease of a minute on the row is the claim. Runs outside
    transactions, because it waits for WeChat; it passes on NoAccount, WeChatAway, CodeBudgetSpent and
    WeChatRefused, and the row can then be claimed again. Raises NotFound.
    """
    at = at or clock.now()
    lease = at + _LEASE
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=at)
    claimable = ChannelCode.objects.open(at).filter(free, wanting_ticket(at), pk=channel_code_id)
    claimed = claimable.update(leased_until=lease)
    code = ChannelCode.objects.filter(pk=channel_code_id).first()
    if code is None:
        raise NotFound
    if not claimed:
        return code_card_of(code, at)
    mine = ChannelCode.objects.filter(pk=channel_code_id, leased_until=lease)
    try:
        account = accounts.get_default_official()
        ticket = qrcodes.create_code(
            account_id=account.id,
            scene=code.code,
            is_permanent=code.term == CodeTerm.PERMANENT,
            expire_seconds=_ticket_seconds(code, at),
        )
    except Exception:
        mine.update(leased_until=None)
        raise
    _keep_ticket(code, account.app_id, ticket, lease=lease, at=at)
    return code_card_of(code, at)


def renew_channel_codes(at: dt.datetime | None = None) -> int:
    """Every open code has a ticket that lives three days or more; how many were fetched now.

    Ends early when WeChat is away or there is no account: the next run goes on. A code that WeChat refuses,
    or that the budget does not allow, is passed over.
    """
    at = at or clock.now()
    fetched = 0
    for channel_code_id in list_codes_to_publish(at):
        try:
            publish_channel_code(channel_code_id, at=at)
        except (Unavailable, NotFound) as refusal:
            logger.info("guides.codes_not_renewed", extra={"refusal": refusal.code})
            break
        except Refusal as refusal:
            logger.warning(
                "guides.code_not_published", extra={"channel_code": channel_code_id, "refusal": refusal.code}
            )
            continue
        fetched += 1
    return fetched


def _ticket_seconds(code: ChannelCode, at: dt.datetime) -> int:
    life = _TICKET_LIFE if code.valid_until is None else min(_TICKET_LIFE, code.valid_until - at)
    return int(max(life, _SHORTEST_TICKET).total_seconds())


def _keep_ticket(
    code: ChannelCode, app_id: str, ticket: QrTicket, *, lease: dt.datetime, at: dt.datetime
) -> None:
    with transaction.atomic():
        kept = ChannelCode.objects.filter(pk=code.pk, leased_until=lease).update(
            leased_until=None,
            account_app_id=app_id,
            ticket=ticket.ticket,
            qr_url=ticket.url,
            ticket_expires_at=ticket.expires_at,
        )
        # The lease ran out while WeChat was slow, and somebody else fetched a ticket: theirs stands.
        if kept:
            audit.record(
                action="guides.channel_code_published", subject=code, actor=Actor.system("publish"), at=at
            )
    code.refresh_from_db()
