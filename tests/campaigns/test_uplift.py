"""What may be said of two groups: published values, honest refusals, and no effect where there is none."""

import random
import statistics
from typing import Any

import pytest

from campaigns.contracts.proof import Arm, Finding
from campaigns.selectors.uplift import compare, compare_means, compare_rates, t_quantile, t_two_sided, wilson


def arm(aimed: int, hits: int, *, amounts: list[int] | None = None) -> Arm:
    spent = amounts if amounts is not None else [10_000] * hits
    return Arm(
        aimed=aimed, hits=hits, members=aimed, buyers=len(spent), amount_fen=sum(spent),
        squares=sum(one * one for one in spent),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hits", "count", "other_hits", "other_count", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_the_interval_of_two_shares_is_the_published_one(
    hits: int, count: int, other_hits: int, other_count: int, low: float, high: float
) -> None:
    found = compare_rates(hits, count, other_hits, other_count, confidence=0.95)
    assert found is not None
    assert [found.interval.low, found.interval.high] == pytest.approx([low, high], abs=1e-4)


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    assert list(wilson(81, 263, 0.95)) == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert list(wilson(0, 20, 0.95)) == pytest.approx([0.0, 0.1611], abs=1e-4)
    assert list(wilson(1, 29, 0.95)) == pytest.approx([0.0061, 0.1718], abs=1e-4)


@pytest.mark.parametrize(
    ("share", "freedom", "t"),
    [(0.975, 20, 2.0860), (0.975, 30, 2.0423), (0.975, 100, 1.9840), (0.995, 30, 2.7500), (0.95, 60, 1.6706)],
)
def test_students_t_is_the_tables(share: float, freedom: float, t: float) -> None:
    assert t_quantile(share, freedom) == pytest.approx(t, abs=2e-4)
    assert t_two_sided(t, freedom) == pytest.approx(2 * (1 - share), rel=0.01)


def test_amounts_a_head_are_welchs() -> None:
    """Sums and squares say what the amounts themselves say."""
    one, other = [0] * 150 + [100, 200, 300, 400, 5_000] * 10, [0] * 110 + [150, 90, 2_500] * 5
    found = compare_means(arm(200, 50, amounts=one), arm(125, 15, amounts=other), confidence=0.95)
    assert found is not None
    error = (statistics.variance(one) / 200 + statistics.variance(other) / 125) ** 0.5
    assert found.difference == pytest.approx(statistics.mean(one) - statistics.mean(other))
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(1.968 * error, rel=2e-3)


@pytest.mark.parametrize(
    ("treated", "control", "finding"),
    [
        (arm(10_000, 1_200), arm(2_000, 180), Finding.BETTER),
        (arm(10_000, 900), arm(2_000, 240), Finding.WORSE),
        (arm(10_000, 1_000), arm(2_000, 195), Finding.UNSURE),
        (arm(10_000, 1_200), arm(0, 0), Finding.NO_CONTROL),
        # Everybody bought, and nobody did, among forty: too few whatever they did.
        (arm(400, 400), arm(40, 0), Finding.FEW),
        (arm(10_000, 20), arm(2_000, 0), Finding.FEW),
        (arm(0, 0), arm(2_000, 100), Finding.FEW),
        # Nobody of the control group did it, and so many are enough to see that.
        (arm(10_000, 1_200), arm(2_000, 0), Finding.BETTER),
    ],
)
def test_what_may_be_said(treated: Arm, control: Arm, finding: Finding) -> None:
    assert compare(treated, control).finding == finding


def test_nothing_is_concluded_before_the_window_is_over_or_from_the_same_people_again() -> None:
    sides = arm(10_000, 1_200), arm(2_000, 180)
    early = compare(*sides, is_open=True)
    assert (early.finding, early.is_amount_sure) == (Finding.OPEN, False)
    again = compare(*sides, may_judge=False)
    assert (again.finding, again.is_amount_sure) == (Finding.REPEATED, False)


def test_several_variants_share_the_error() -> None:
    """A difference that would be one by itself is none among five."""
    treated, control = arm(10_000, 1_000), arm(2_000, 168)
    assert compare(treated, control).finding == Finding.BETTER
    assert compare(treated, control, comparisons=5).finding == Finding.UNSURE


def _drawn(chance: random.Random, count: int, rate: float) -> Arm:
    amounts = [int(chance.lognormvariate(9.5, 1.2)) for _each in range(count) if chance.random() < rate]
    return arm(count, len(amounts), amounts=amounts)


def _trials(number: int, rate: float, other: float) -> list[Any]:
    chance = random.Random(20261128)
    return [compare(_drawn(chance, 2_000, rate), _drawn(chance, 500, other)) for _each in range(number)]


def test_without_an_effect_it_rarely_seems_to_work() -> None:
    """Both groups get the same: at most one in twenty campaigns looks as if something had happened, in either direction;
    of amounts with a long tail too. Intervals hold the nought as often as they promise."""
    found = _trials(600, 0.08, 0.08)
    judged = [one for one in found if one.finding in {Finding.BETTER, Finding.WORSE}]
    assert 0 < len(judged) <= 30
    assert sum(one.finding == Finding.BETTER for one in found) <= 30
    assert sum(one.is_amount_sure for one in found) <= 30
    assert sum(one.rate.interval.holds(0.0) for one in found) >= 565


def test_a_real_effect_is_seen() -> None:
    found = _trials(100, 0.16, 0.08)
    assert sum(one.finding == Finding.BETTER for one in found) >= 95


def test_rounding_takes_nothing_from_a_million_amounts() -> None:
    """Equal amounts have no spread, however large their squares are."""
    row = Arm(aimed=10**6, hits=10**6, members=10**6, buyers=10**6, amount_fen=10**15, squares=10**24)
    assert row.variance == 0.0
    assert compare_means(row, row, confidence=0.95) is None
