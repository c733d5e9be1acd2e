"""Rule answers that WeChat does not take passively, sent as customer-service messages."""

import logging
from collections.abc import Mapping
from typing import Any

from wechat.errors import MessageUnfit
from wechat.models import ReplyRule
from wechat.services import outbox, replies

logger = logging.getLogger(__name__)


def answer_actively(*, account_id: int, openid: str, fields: Mapping[str, Any], inbound_id: int) -> None:
    """Queue the winning rule's message when it is of an active kind; once per push, whoever calls again."""
    occasion = replies.occasion_of(fields)
    if occasion is None:
        return
    rules = ReplyRule.objects.filter(account_id=account_id, is_active=True).order_by("-priority", "pk")
    rule = replies.choose(list(rules), occasion)
    if rule is None or replies.is_passive(rule):
        return
    try:
        outbox.queue_card(
            account_id=account_id,
            openid=openid,
            title=rule.title,
            card_app_id=rule.card_app_id,
            page=rule.card_page,
            thumb_path=rule.card_thumb.name or "",
            reason_key=f"rule:{rule.pk}:{inbound_id}",
        )
    except MessageUnfit:
        # The form demands all parts; a rule made another way must not hold up her push.
        logger.exception("wechat.rule_incomplete", extra={"rule_id": rule.pk})
