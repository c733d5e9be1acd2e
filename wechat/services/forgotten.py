"""Erased people who follow on: the account's list names them, and they stay unknown until they act anew.

An openid has far too many possible values for anybody to find one by its digest.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from wechat.models import ForgottenFollower


def remember_forgotten(*, account_id: int, openids: Iterable[str], at: dt.datetime) -> None:
    """The account's list will name these, and that is no news."""
    ForgottenFollower.objects.bulk_create(
        [
            ForgottenFollower(account_id=account_id, digest=_digest(account_id, openid), forgotten_at=at)
            for openid in sorted(openids)
        ],
        ignore_conflicts=True,
    )


def without_forgotten(*, account_id: int, openids: Sequence[str]) -> list[str]:
    """Those of these who may be known."""
    digests = {_digest(account_id, openid): openid for openid in openids}
    rows = ForgottenFollower.objects.filter(account_id=account_id, digest__in=list(digests))
    forgotten = {digests[bytes(digest)] for digest in rows.values_list("digest", flat=True)}
    return [openid for openid in openids if openid not in forgotten]


def end_forgetting(*, account_id: int, openid: str) -> bool:
    """She acted anew, or left: the list may name her from now on. Whether she had been forgotten."""
    rows = ForgottenFollower.objects.filter(account_id=account_id, digest=_digest(account_id, openid))
    return rows.delete()[0] > 0


def _digest(account_id: int, openid: str) -> bytes:
    return hashlib.sha256(f"forgotten:{account_id}:{openid}".encode()).digest()
