"""Reply rules for tests: a rule with its parts in one line."""

from typing import Any

from wechat.models import ReplyPart, ReplyRule


def make_rule(account_id: int, name: str = "规则", *parts: dict[str, Any], **fields: Any) -> ReplyRule:
    """A rule that says its own name when no part is given."""
    rule = ReplyRule.objects.create(account_id=account_id, name=name, **fields)
    for position, part in enumerate(parts or ({"text": name},), start=1):
        ReplyPart.objects.create(rule=rule, position=position, **part)
    return rule
