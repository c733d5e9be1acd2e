"""The demo's live till sells through the real door, and ends when it is told to."""

import threading
from pathlib import Path
from typing import Any

import pytest

from config.demo import live_till
from config.demo.live_till import NAME, Customs, LiveTill, TillShut, find_calls, seed_live_till
from config.demo.till_calls import SignedCalls
from core import clock
from coupons.models import Coupon
from openapi import services as openapi_services
from openapi.models import ApiClient
from sales.models import Sale, SaleCoupon, SaleReturn
from tests.cast import Cast
from tests.coupons.test_orders import coupon_of
from tests.openapi.kit import BOSS
from tests.sales.kit import assert_totals_agree

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def till(cast: Cast, live_server: Any, tmp_path: Path) -> LiveTill:
    """With its key, in a chain that has one coupon in a member's hands."""
    seed_live_till(tmp_path, at=clock.now(), actor=BOSS)
    calls = find_calls(tmp_path, live_server.url)
    assert calls is not None
    made = LiveTill(calls, threading.Event(), tmp_path / "till.log", seed=11)
    coupon = coupon_of(cast.xiaomei.id)
    made.customs = Customs(
        guides=(("T001", "T01"), ("T004", "T02")),
        star=("T001", "T01"),
        buyers=(cast.xiaomei.code, cast.xiaoli.code),
        coupons=((coupon.code, cast.xiaomei.code),),
    )
    return made


def test_it_sells_redeems_and_takes_back(till: LiveTill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_till, "_RETURN_SHARE", 0.35)
    monkeypatch.setattr(live_till, "_COUPON_SHARE", 0.5)
    done = [till.step() for _turn in range(16)]
    assert set(done) == {"sold", "redeemed", "returned"}
    assert (SaleReturn.objects.count(), Sale.objects.count()) == (
        done.count("returned"),
        16 - done.count("returned"),
    )
    assert set(Sale.objects.values_list("store__code", flat=True)) == {"T01", "T02"}
    assert set(SaleCoupon.objects.values_list("outcome", flat=True)) <= {"known", "reversed"}
    assert Coupon.objects.get().state in ("redeemed", "issued")
    assert_totals_agree()
    assert "held" not in till.log.read_text(encoding="utf-8")


def test_the_key_is_made_once_and_a_lost_file_starts_nothing(till: LiveTill, tmp_path: Path) -> None:
    place = tmp_path / "live-till.json"
    told = place.read_text(encoding="utf-8")
    seed_live_till(tmp_path, at=clock.now(), actor=BOSS)
    assert (place.read_text(encoding="utf-8"), ApiClient.objects.filter(name=NAME).count()) == (told, 1)
    assert place.stat().st_mode & 0o077 == 0
    for broken in ("", "{}", "[]", "null"):
        place.write_text(broken, encoding="utf-8")
        assert find_calls(tmp_path, "http://127.0.0.1:1") is None
    place.unlink()
    assert find_calls(tmp_path, "http://127.0.0.1:1") is None


def test_a_revoked_key_shuts_it_out(till: LiveTill) -> None:
    openapi_services.revoke_client(client_id=ApiClient.objects.get(name=NAME).pk, actor=BOSS)
    with pytest.raises(TillShut):
        till.step()
    assert not Sale.objects.exists()


def test_it_ends_at_once_and_nobody_at_the_other_end_does_not_end_it(tmp_path: Path, cast: Cast) -> None:
    stop = threading.Event()
    till = LiveTill(SignedCalls("http://127.0.0.1:9", "k", "s"), stop, tmp_path / "till.log", seed=1)
    till._pause_s = lambda *_about: 0.01  # type: ignore[method-assign]
    till.start()
    for _turn in range(100):
        if till.log.exists() and till.log.read_text(encoding="utf-8").count("no answer") >= 2:
            break
        stop.wait(0.1)
    assert till.is_alive()
    stop.set()
    till.join(timeout=5)
    assert not till.is_alive()
    assert "no answer" in till.log.read_text(encoding="utf-8")


def test_failures_are_waited_for_longer_and_longer_and_a_demo_left_alone_goes_slower(till: LiveTill) -> None:
    waits = [till._pause_s(0, failures) for failures in range(1, 10)]
    assert waits == sorted(waits)
    assert waits[-1] == 60.0
    assert 2.5 <= till._pause_s(10, 0) <= 6.0
    assert till._pause_s(3_600, 0) == 30.0
