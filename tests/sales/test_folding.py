"""A fold begins with those who wait longest, and ends whoever sells meanwhile."""

import datetime as dt

import pytest
from django.db import connection

from core import clock
from sales import services
from sales.models import GuideStoreTotal, GuideTotal, StoreTotal, TotalMove
from sales.services import folding
from tests.cast import Cast, make_guide

pytestmark = pytest.mark.django_db


# When a move of so much is folded: another one of that guide comes, as from the next slice of a file.
_SELLS_AGAIN = """
CREATE FUNCTION pg_temp.sells_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_totalmove (booked_on, guide_ref, store_ref, metric, value, written_at)
    VALUES (old.booked_on, old.guide_ref, old.store_ref, old.metric, 70, clock_timestamp() - interval '{waited}');
    RETURN NULL;
END $$;
CREATE TRIGGER sells_again AFTER DELETE ON sales_totalmove FOR EACH ROW WHEN (old.value = {value})
    EXECUTE FUNCTION pg_temp.sells_again();
"""


def wait_for_fold(store_id: int, *moves: tuple[int, int]) -> None:
    """A slice's moves: guide (0: nobody) and what she sold, in fen."""
    TotalMove.objects.bulk_create(
        TotalMove(booked_on=clock.today(), guide_ref=guide, store_ref=store_id, metric="sales_fen", value=fen)
        for guide, fen in moves
    )


def sold(guide_id: int) -> int | None:
    return GuideTotal.objects.filter(period="week", guide=guide_id).values_list("value", flat=True).first()


def test_who_sells_again_behind_the_fold_waits_for_the_next(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (make_guide(f"F{n}", f"导购{n}", cast.store.id).id for n in range(3))
    wait_for_fold(cast.store.id, (third, 300), (second, 200), (first, 100))
    with connection.cursor() as cursor:
        cursor.execute(_SELLS_AGAIN.format(value=300, waited="-1 hour"))
    monkeypatch.setattr(folding, "FOLDED_AT_ONCE", 2)

    assert services.fold_totals() == 3
    assert [sold(guide) for guide in (first, second, third)] == [100, 200, 300]
    assert [(one.guide_ref, one.value) for one in TotalMove.objects.all()] == [(third, 70)]

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER sells_again ON sales_totalmove")
    assert services.fold_totals() == 1
    assert [sold(guide) for guide in (first, second, third)] == [100, 200, 370]
    assert not TotalMove.objects.exists()


@pytest.mark.parametrize(("waited", "folded", "has"), [("-1 hour", 2, 200), ("1 hour", 3, 270)])
def test_the_job_goes_round_again_while_somebody_waits_for_long(
    cast: Cast, waited: str, folded: int, has: int
) -> None:
    guide = make_guide("F0", "导购零", cast.store.id).id
    wait_for_fold(cast.store.id, (0, 100), (guide, 200))
    with connection.cursor() as cursor:
        cursor.execute(_SELLS_AGAIN.format(value=200, waited=waited))

    assert services.keep_totals() == folded
    assert sold(guide) == has
    assert TotalMove.objects.count() == 3 - folded


def test_who_waits_longest_is_first_and_takes_what_came_since_along(cast: Cast) -> None:
    first, second, third = (make_guide(f"F{n}", f"导购{n}", cast.store.id).id for n in range(3))
    wait_for_fold(cast.store.id, (second, 200), (third, 300), (first, 100))
    wait_for_fold(cast.store.id, (first, 10), (second, 20))
    wait_for_fold(cast.other_store.id, (second, 7))

    assert folding.fold_some(1) == 2
    assert [sold(guide) for guide in (first, second, third)] == [None, 220, None]
    assert folding.fold_some(2) == 3
    assert [sold(guide) for guide in (first, second, third)] == [110, 220, 300]
    assert [one.store_ref for one in TotalMove.objects.all()] == [cast.other_store.id]


def test_an_importer_folds_only_what_waits_too_long(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (make_guide(f"F{n}", f"导购{n}", cast.store.id).id for n in range(2))
    wait_for_fold(cast.store.id, (first, 100), (second, 200))
    assert folding.fold_late() == 0
    TotalMove.objects.filter(guide_ref=first).update(written_at=clock.now() - dt.timedelta(hours=1))
    monkeypatch.setattr(folding, "FOLDED_AT_ONCE", 1)
    assert folding.fold_late() == 1
    assert [sold(guide) for guide in (first, second)] == [100, None]


def test_what_several_slices_left_is_one_change_of_each_total(cast: Cast) -> None:
    """With what a store sold without a guide, and what adds up to nothing and leaves no total."""
    nought = make_guide("F9", "导购九", cast.store.id).id
    wait_for_fold(cast.store.id, (cast.lina.id, 500), (0, 40), (nought, 80))
    wait_for_fold(cast.store.id, (cast.lina.id, 700), (0, 2), (nought, -80))
    wait_for_fold(cast.other_store.id, (cast.lina.id, 9))

    assert services.fold_totals() == 7
    today = clock.today()
    monday = today - dt.timedelta(days=today.weekday())
    for period, start in (("day", today), ("week", monday), ("month", today.replace(day=1))):
        of_period = {"period": period, "starts_on": start, "metric": "sales_fen"}
        guides = GuideTotal.objects.filter(**of_period).values_list("guide", "value")
        assert list(guides) == [(cast.lina.id, 1209)]
        sellers = GuideStoreTotal.objects.filter(**of_period).values_list("guide", "store", "value")
        assert set(sellers) == {(cast.lina.id, cast.store.id, 1200), (cast.lina.id, cast.other_store.id, 9)}
        stores = StoreTotal.objects.filter(**of_period).values_list("store", "value")
        assert set(stores) == {(cast.store.id, 1242), (cast.other_store.id, 9)}
