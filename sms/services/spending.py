"""What texts cost, added up by day, template and reason as they are sent: texts' own rows are deleted after some weeks."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db import connection

from core import clock
from sms.contracts import Spending

# In the order of the keys, so that two who add up never wait for each other in a ring.
_ADD: Final = """
INSERT INTO sms_smsspend (\"on\", purpose, template_code, filed_under, text_count, segment_count, cost_hundredths)
SELECT %(day)s, purpose, template, filed, count(*), sum(segments), sum(cost)
FROM unnest(%(purposes)s::text[], %(templates)s::text[], %(filed)s::text[], %(segments)s::int[], %(costs)s::bigint[])
    AS spent (purpose, template, filed, segments, cost)
GROUP BY purpose, template, filed
ORDER BY purpose, template, filed
ON CONFLICT (\"on\", purpose, template_code, filed_under) DO UPDATE SET
    text_count = sms_smsspend.text_count + excluded.text_count,
    segment_count = sms_smsspend.segment_count + excluded.segment_count,
    cost_hundredths = sms_smsspend.cost_hundredths + excluded.cost_hundredths
"""


def note_spending(*, spent: Iterable[Spending], at: dt.datetime | None = None) -> None:
    """These texts are on the bill of the Shanghai day; called in the transaction that settles them."""
    lines = list(spent)
    if not lines:
        return
    values: dict[str, Any] = {
        "day": clock.business_day(at or clock.now()),
        "purposes": [one.purpose for one in lines],
        "templates": [one.template_code[:40] for one in lines],
        "filed": [one.filed_under[:20] for one in lines],
        "segments": [one.segment_count for one in lines],
        "costs": [one.cost_hundredths for one in lines],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
