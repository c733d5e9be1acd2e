"""Who changes an account's menu at WeChat: one at a time, for many calls, also after a process died."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core import clock
from wechat.errors import MenuBusy
from wechat.models import MenuLease

# Renewed before every call; longer than any one call with its repeats takes.
LEASE: Final = dt.timedelta(seconds=90)


class LeaseLost(Exception):
    """Somebody else took over while a call hung."""


def is_publishing(account_id: int) -> bool:
    """Somebody is at it now."""
    lease = MenuLease.objects.filter(pk=account_id).first()
    return lease is not None and _is_held(lease, clock.now())


def take_lease(account_id: int, holder: str, now: dt.datetime) -> None:
    """The account's menu is this holder's to change. The account is locked by the caller. Raises MenuBusy."""
    lease, _made = MenuLease.objects.get_or_create(account_id=account_id)
    if _is_held(lease, now):
        raise MenuBusy
    MenuLease.objects.filter(pk=lease.pk).update(holder=holder, leased_until=now + LEASE)


def renew_lease(account_id: int, holder: str) -> None:
    """Before every call. Raises LeaseLost."""
    if not MenuLease.objects.filter(pk=account_id, holder=holder).update(leased_until=clock.now() + LEASE):
        raise LeaseLost


def keep_lease(account_id: int, holder: str) -> None:
    """Before the outcome is written. The account is locked by the caller. Raises LeaseLost."""
    if not MenuLease.objects.filter(pk=account_id, holder=holder).exists():
        raise LeaseLost


@contextmanager
def released(account_id: int, holder: str) -> Iterator[None]:
    """Give the lease back; who lost it meanwhile hears that somebody else is publishing."""
    try:
        yield
    except LeaseLost:
        raise MenuBusy from None
    finally:
        MenuLease.objects.filter(pk=account_id, holder=holder).update(holder="", leased_until=None)


def _is_held(lease: MenuLease, now: dt.datetime) -> bool:
    return bool(lease.holder) and lease.leased_until is not None and lease.leased_until > now
