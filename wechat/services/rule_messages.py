"""Parts of a rule's answer that the push itself did not carry, sent as customer-service messages in their order."""

import logging

from django.db import transaction

from core import clock
from wechat.errors import MessageUnfit
from wechat.models import ReplyPart, ReplyRule
from wechat.models.outbox import MessageKind
from wechat.services import contents, outbox
from wechat.services.reply_book import Ruled
from wechat.services.reply_contents import is_passive
from wechat.services.reply_kinds import Asked, find_kind

logger = logging.getLogger(__name__)


def find_won(won_rule_id: int | None) -> Ruled | None:
    """The rule that won as a push came, as it stands now; None when none won, or it is gone."""
    if won_rule_id is None:
        return None
    rule = ReplyRule.objects.filter(pk=won_rule_id).prefetch_related("parts").first()
    return None if rule is None else Ruled(rule, tuple(rule.parts.all()), 0)


def is_answered(won: Ruled | None) -> bool:
    """Whether the rule settles what she wrote: not a stopgap, and it hands her over to nobody."""
    if won is None or won.is_stopgap or not won.parts:
        return False
    kinds = [find_kind(part.kind) for part in won.parts]
    return not any(kind.hands_over for kind in kinds if kind is not None)


def answer_actively(*, won: Ruled | None, account_id: int, app_id: str, openid: str, inbound_id: int) -> None:
    """Queue the parts that were not answered passively, each once for the push, whoever calls again.

    All in one transaction: what a part gives (a coupon) and the message that says so stand or fall together.
    """
    if won is None or not won.parts:
        return
    rest = won.parts[1:] if is_passive(won.parts[0]) else won.parts
    at = clock.now()
    with transaction.atomic():
        after_id: int | None = None
        for part in rest:
            asked = Asked(
                account_id=account_id,
                app_id=app_id,
                openid=openid,
                inbound_id=inbound_id,
                target=part.target,
                request_key=f"reply:{inbound_id}:{part.pk}",
                at=at,
            )
            try:
                after_id = _queue(part, asked, after_id)
            except MessageUnfit:
                # The form demands all it needs; a part made another way must not hold up her push.
                logger.exception("wechat.reply_part_incomplete", extra={"part_id": part.pk})


def _queue(part: ReplyPart, asked: Asked, after_id: int | None) -> int | None:
    """The message that the next part follows."""
    kind = find_kind(part.kind)
    reason_key = f"rule:{part.pk}:{asked.inbound_id}"
    if kind is None:
        content = _content_of(part)
    else:
        said = kind.answer(asked)
        if said is None:
            return after_id
        content = contents.text_content(text=said.text)
        reason_key = said.reason_key or reason_key
    return outbox.queue_in_turn(
        account_id=asked.account_id,
        openid=asked.openid,
        content=content,
        reason_key=reason_key,
        after_id=after_id,
        at=asked.at,
    )


def _content_of(part: ReplyPart) -> contents.Content:
    """Raises MessageUnfit, also for a kind that nobody knows (any more)."""
    if part.kind == MessageKind.TEXT:
        return contents.text_content(text=part.text)
    if part.kind == MessageKind.ARTICLE:
        return contents.article_content(
            title=part.title, description=part.description, url=part.url, picture_url=part.picture_url
        )
    if part.kind == MessageKind.IMAGE:
        return contents.image_content(path=part.picture.name or "")
    if part.kind == MessageKind.MINI_PROGRAM_CARD:
        return contents.card_content(
            title=part.title,
            card_app_id=part.card_app_id,
            page=part.card_page,
            thumb_path=part.picture.name or "",
        )
    raise MessageUnfit(field="kind")
