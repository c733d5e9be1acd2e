"""The act that tells another system."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from campaigns.contracts.acts import Act, ActOutcome
from campaigns.errors import ActThingGone
from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.services.acts.asked import Asked, done, refused
from core.actor import Actor
from core.arrays import array_words
from members import selectors as member_selectors

_SEALED: Final[Any] = WebhookDelivery._meta.get_field("content")
_INSERT: Final = """
WITH asked AS (
    SELECT * FROM unnest(%(keys)s::text[], %(members)s::bigint[], %(contents)s::text[]) AS given (key, member_id, content)
), new AS (
    INSERT INTO campaigns_webhookdelivery (
        key, endpoint_id, member_id, content, state, attempt_count, not_before, lease_holder, code, created_at)
    SELECT key, %(endpoint)s, member_id, content, 'waiting', 0, %(at)s, '', '', %(at)s FROM asked ORDER BY key
    ON CONFLICT (key) DO NOTHING RETURNING id, key
)
SELECT key, id FROM new
UNION ALL SELECT there.key, there.id FROM campaigns_webhookdelivery there JOIN asked ON asked.key = there.key
"""


def tell_endpoint(*, act: Act, asked: Sequence[Asked], actor: Actor, at: dt.datetime) -> list[ActOutcome]:
    """The telling is queued; `work_webhooks` sends it."""
    endpoint = WebhookEndpoint.objects.active().filter(code=act.values["endpoint"]).first()
    if endpoint is None:
        return [refused(ActThingGone.code)] * len(asked)
    cards = member_selectors.list_member_cards({one.member_id for one in asked})
    contents = [
        json.dumps(
            {
                "id": one.key,
                "at": at.isoformat(),
                "member": cards[one.member_id].public_id,
                "values": dict(one.values),
            },
            ensure_ascii=False,
        )
        for one in asked
    ]
    values: dict[str, Any] = {
        "keys": array_words(one.key for one in asked),
        "members": array_words(one.member_id for one in asked),
        "contents": array_words(_SEALED.get_prep_value(content) for content in contents),
        "endpoint": endpoint.pk,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        ids = dict(cursor.fetchall())
    return [done(f"webhook:{ids[one.key]}") for one in asked]
