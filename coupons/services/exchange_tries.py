"""How often somebody may be wrong about an exchange code: in the database, so that no flushed cache opens the door."""

import datetime as dt
from typing import Final

from django.db import connection
from django.db.models import F

from core import clock, crypto
from core.actor import Actor
from coupons.errors import TooManyTries
from coupons.models import ExchangeTally

# In a clock hour. An address may be a whole mall's wireless network.
MOST_OF_MEMBER: Final = 10
MOST_OF_ADDRESS: Final = 100
_HOUR: Final = dt.timedelta(hours=1)
_KEPT: Final = dt.timedelta(days=1)
_CONTEXT: Final = "coupons.exchange_tries"
# One statement, so that tries at once do not get more between them than there are.
_COUNT: Final = """
INSERT INTO coupons_exchangetally AS own (who, hour, try_count) VALUES (%s, %s, 1)
ON CONFLICT (who, hour) DO UPDATE SET try_count = own.try_count + 1 WHERE own.try_count < %s
RETURNING try_count
"""


def count_try(*, member_id: int, address: str, at: dt.datetime) -> int:
    """One try is counted before it is looked at; how many she has left. Raises TooManyTries.

    Two statements, each a transaction of its own: with one lock at a time, two tries never wait for each other crosswise.
    """
    hour = _hour_of(at)
    left = MOST_OF_MEMBER
    with connection.cursor() as cursor:
        for who, most in _counted(member_id, address):
            cursor.execute(_COUNT, [who, hour, most])
            row = cursor.fetchone()
            if row is None:
                raise TooManyTries(retry_after_s=int((hour + _HOUR - at).total_seconds()) + 1)
            left = min(left, most - row[0])
    return left


def forgive_try(*, member_id: int, address: str, at: dt.datetime) -> None:
    """The code was right: the try does not count. Should this be lost, one try is counted too many."""
    names = [who for who, _most in _counted(member_id, address)]
    tallies = ExchangeTally.objects.filter(who__in=names, hour=_hour_of(at), try_count__gt=0)
    tallies.update(try_count=F("try_count") - 1)


def prune_exchange_tries(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Tallies over a day old are forgotten; how many."""
    old = ExchangeTally.objects.filter(hour__lt=(at or clock.now()) - _KEPT)
    return old.delete()[0]


def _counted(member_id: int, address: str) -> list[tuple[str, int]]:
    pairs = [(f"member:{member_id}", MOST_OF_MEMBER)]
    if address:
        pairs.append((f"address:{address}", MOST_OF_ADDRESS))
    return [(crypto.blind_index(name, context=_CONTEXT), most) for name, most in pairs]


def _hour_of(at: dt.datetime) -> dt.datetime:
    return at.replace(minute=0, second=0, microsecond=0)
