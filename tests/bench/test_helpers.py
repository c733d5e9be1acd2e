"""The arithmetic and the load generator's shapes; the benches themselves are run, not tested."""

import json
from pathlib import Path

import pytest

from bench import load
from bench.figures import Figure, Report, at_most, percentile, ratios, spread, table
from bench.private import in_turns
from tests.wechat import push_kit
from wechat.services import parsing


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([7.0], 0.99) == 7


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_spread_shows_median_least_and_greatest() -> None:
    assert spread([3000.0, 1000.0, 2000.0]) == "2,000 (1,000–3,000)"


def test_ratios_pair_what_was_measured_in_the_same_round() -> None:
    assert ratios([10.0, 20.0], [5.0, 40.0]) == [2.0, 0.5]


def test_a_target_is_met_up_to_its_limit() -> None:
    assert at_most("x", "", "", [1.3, 1.0, 1.3], 1.3).is_met
    assert not at_most("x", "", "", [1.4, 1.0, 1.31], 1.3).is_met


def test_the_table_says_plainly_what_was_missed() -> None:
    text = table([Figure("中文", "1", "2", 2.0, "≤ 1", False), Figure("plain")])
    lines = text.splitlines()
    assert lines[2].endswith("NO")
    assert len(lines) == 4


def test_a_report_is_kept_as_json(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.json"
    Report((Figure("a"),), ("note",), {"raw": [1]}).save(path)
    assert json.loads(path.read_text())["measured"] == {"raw": [1]}


def test_halves_take_turns_in_going_first() -> None:
    went: list[str] = []

    def half(name: str, seconds: float) -> float:
        went.append(name)
        return seconds

    floors, ours, end = in_turns(
        3, floor=lambda: half("floor", 1.0), ours=lambda: half("ours", 2.0), check=lambda: (7,)
    )
    assert went == ["floor", "ours", "ours", "floor", "floor", "ours"]
    assert (floors, ours, end) == ([1.0] * 3, [2.0] * 3, (7,))


def test_halves_that_leave_another_state_are_refused() -> None:
    states = iter([(1,), (2,)])
    with pytest.raises(RuntimeError, match="differ"):
        in_turns(1, floor=lambda: 1.0, ours=lambda: 1.0, check=lambda: next(states))


def order(mode: str, count: int = 6) -> load.Order:
    return load.Order(1, f"/wechat/callback/{mode}/", mode, push_kit.APP_ID, count, 2, 3)


@pytest.mark.parametrize("mode", ["plain", "safe"])
def test_every_request_of_the_load_is_whole_and_unique(mode: str) -> None:
    requests = load.requests(order(mode))
    assert len(set(requests)) == 6
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head


def test_every_push_of_the_load_has_its_own_dedupe_key() -> None:
    bodies = [request.partition(b"\r\n\r\n")[2].decode() for request in load.requests(order("plain", 20))]
    keys = {parsing.read_push(push_kit.APP_ID, body).dedupe_key for body in bodies}
    assert len(keys) == 20


def test_an_answer_is_read_only_when_all_of_it_is_there() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess"
    assert [load.answer_of(whole[:n]) for n in (10, 38, len(whole) - 1)] == [None, None, None]
    assert load.answer_of(whole) == (200, b"success")


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="how long"):
        load.answer_of(b"HTTP/1.1 200 OK\r\n\r\nsuccess")
