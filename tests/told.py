"""What members are told, as reaches."""

import json

from django.apps import apps


def told_texts(*prefixes: str, member_id: int | None = None) -> list[str]:
    """The texts of reaches whose reason begins so, in the order in which they were queued."""
    rows = apps.get_model("campaigns", "Reach").objects.order_by("pk")
    if member_id is not None:
        rows = rows.filter(member_id=member_id)
    return [
        json.loads(row.content)["text"]
        for row in rows
        if row.content and (not prefixes or row.reason_key.startswith(prefixes))
    ]
