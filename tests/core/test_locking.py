"""The one door to row locks."""

import threading

import pytest
from django.db import connection, transaction

from core.errors import NotFound
from core.models import LockingQuerySet
from tests.wechat.conftest import make_account
from wechat.models import Account

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_outside_a_transaction_is_refused() -> None:
    account = make_account()
    with pytest.raises(RuntimeError, match="atomic"):
        Account.objects.lock(account.pk)
    with pytest.raises(RuntimeError, match="atomic"):
        Account.objects.all().claim(1)


def test_a_row_that_is_gone_is_not_found() -> None:
    with transaction.atomic(), pytest.raises(NotFound):
        Account.objects.lock(123_456)


def test_rows_are_locked_in_pk_order_whatever_order_was_asked() -> None:
    pks = [make_account(f"a{n}", app_id=f"wx{n}").pk for n in range(3)]
    with transaction.atomic():
        assert [row.pk for row in Account.objects.lock_all(reversed(pks))] == sorted(pks)


def test_a_locked_row_makes_the_other_wait_and_a_claim_pass_by() -> None:
    first, second = (make_account(f"a{n}", app_id=f"wx{n}") for n in range(2))
    held, release, claimed = threading.Event(), threading.Event(), []

    def hold() -> None:
        try:
            with transaction.atomic():
                Account.objects.lock(first.pk)
                held.set()
                release.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    with transaction.atomic():
        claimed = [row.pk for row in Account.objects.all().claim(10)]
    release.set()
    thread.join()
    assert claimed == [second.pk]


def test_an_unevaluated_select_for_update_locks_nothing() -> None:
    """Why LockingQuerySet evaluates: the twin that shows the mistake."""
    account = make_account()
    with transaction.atomic():
        Account.objects.select_for_update().filter(pk=account.pk)  # no SQL is sent
        taken = []

        def take() -> None:
            try:
                with transaction.atomic():
                    taken.extend(Account.objects.all().claim(1))
            finally:
                connection.close()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert [row.pk for row in taken] == [account.pk]
    assert isinstance(Account.objects.all(), LockingQuerySet)
