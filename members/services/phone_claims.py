"""One phone is one member, also while the index key is rotated.

The unique constraint of identities compares fingerprints. While two keys are in use (docs/deployment.md, Keys) the
same number has two of them, and an insert under one would not meet the other. Then, and only then, whoever writes a
phone first takes a lock on the number and looks for it under every key. The lock is made from the set of all
fingerprints: processes that have the keys in another order take the same one.
"""

from collections.abc import Iterable

from django.db import connection

from members.errors import PhoneAlreadyRegistered
from members.models import Identity, MemberIdentity
from members.selectors import phone_indexes


def claim_phones(numbers: Iterable[str]) -> None:
    """Nobody else writes these numbers until the caller's transaction ends, and nobody has them under an older key.

    Raises PhoneAlreadyRegistered. The constraint still decides about the newest key.
    """
    older: list[str] = []
    locks: list[int] = []
    for digits in set(numbers):
        current, *others = phone_indexes(digits)
        if others:
            older += others
            locks.append(int(min(current, *others)[:15], 16))
    if not locks:
        return
    with connection.cursor() as cursor:
        # In order, so that two bulk writers do not wait for each other.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number", [sorted(locks)]
        )
    if MemberIdentity.objects.filter(kind=Identity.PHONE, app_id="", value__in=older).exists():
        raise PhoneAlreadyRegistered
