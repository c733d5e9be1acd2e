"""A large batch of documents is one transaction: what it must not hold until its end."""

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from sales import services
from sales.models import Sale, TotalMove
from tests.cast import Cast
from tests.database_faults import set_session
from tests.sales.kit import assert_totals_agree, ledger, order, tell

pytestmark = pytest.mark.django_db(transaction=True)


def told_meanwhile(order_no: str) -> list[Any]:
    """What a till of the same store hears that waits no longer than half a second."""
    heard: list[Any] = []

    def till() -> None:
        try:
            set_session("lock_timeout", "'500ms'")
            heard.extend(told.outcome for told in tell(order(order_no)))
        except DatabaseError as error:
            heard.append(getattr(error.__cause__, "sqlstate", None))
        finally:
            connection.close()

    thread = threading.Thread(target=till)
    thread.start()
    thread.join(30)
    return heard


@pytest.mark.parametrize(("moved_at_once", "heard"), [(100, ["booked"]), (1_000_000, ["55P03"])])
def test_a_till_sells_while_a_batch_of_its_store_is_booked_unless_that_moved_the_totals(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, moved_at_once: int, heard: list[str]
) -> None:
    monkeypatch.setattr("sales.services.totals._MOST_MOVED", moved_at_once)
    tell(order("O1"))  # the product is known from now on
    with transaction.atomic():
        tell(*[order(f"B{number}") for number in range(60)])
        assert told_meanwhile("O2") == heard
    services.fold_totals()
    assert not TotalMove.objects.exists()
    assert ledger()["order_count"] == Sale.objects.count() == 61 + heard.count("booked")
    assert_totals_agree()
