"""The web server itself is killed between commit and answer: whoever asks again under the same key gets the first answer.

What the server reads or writes last, after the commit and before the answer, is held by the test: it stands there and is
killed there, by the signal that cannot be handled.
"""

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.openapi.kit import API as TILLS
from tests.openapi.kit import Till
from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults

MEMBERS = "/api/mini/v1"
# Two members' phones, a till, and a batch whose coupons both may have.
SEED = """
import json
from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, TemplateTerms
from members.models import Member
from miniapp.models import Device
from miniapp.services.tokens import issue_tokens
from openapi import services as openapi
from openapi.contracts import ClientTerms
actor, at = Actor.system("test"), clock.now()
template = services.create_template(
    terms=TemplateTerms(title="开业礼", kind="cash_off", off_fen=3_000, validity="from_today", valid_days=7), actor=actor)
batch = services.create_batch(template_id=template.id, terms=BatchTerms(
    name="开业礼", quota=5, member_limit=1, doors=("claim",)), actor=actor)
services.open_batch(batch_id=batch.id, actor=actor)
member = Member.objects.create(source="import", registered_at=at)
device = Device.objects.create(member_id=member.id, app_id="wx1", openid="o1", opened_at=at, last_used_at=at)
held = services.claim_coupon(batch_id=batch.id, member_id=member.id, request_key="own", actor=actor)
free = Member.objects.create(source="import", registered_at=at)
other = Device.objects.create(member_id=free.id, app_id="wx1", openid="o2", opened_at=at, last_used_at=at)
till = openapi.create_client(
    terms=ClientTerms(name="一号机", kind="till", scopes=("redeem",), store_id={store}), actor=actor)
print(json.dumps({{"batch": batch.public_id, "code": held.code, "key_id": till.key_id, "secret": till.secret,
    "member": free.id, "token": issue_tokens(device=other, at=at).access_token}}))
"""
BASKET = {
    "order_no": "S1",
    "lines": [{"key": "1", "product": "shirt", "categories": [], "amount_fen": 20_000}],
}


@pytest.fixture
def seeded(stack: Stack) -> Iterator[dict[str, Any]]:
    stack.start_web()
    yield json.loads(stack.run_in_django(SEED.format(store=stack.facts["store"])))
    if not stack.is_running("web"):
        stack.start_web()


class Asked(threading.Thread):
    """A request on its way; `answer` stays None when the connection broke, `refused` says with what it was refused."""

    def __init__(self, stack: Stack, path: str, body: dict[str, Any], headers: dict[str, str]) -> None:
        super().__init__()
        self.answer: dict[str, Any] | None = None
        self.refused = self.replayed = ""
        self._request = urllib.request.Request(
            f"{stack.web_url}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        self.start()

    def run(self) -> None:
        try:
            with urllib.request.urlopen(self._request, timeout=60) as response:
                self.answer = json.load(response)
                self.replayed = response.headers.get("Idempotent-Replayed", "")
        except urllib.error.HTTPError as error:
            self.refused = json.loads(error.read())["code"]
        except (OSError, http.client.HTTPException):
            pass

    def done(self) -> "Asked":
        self.join(60)
        return self


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE %s"


def kill_before_answer(stack: Stack, request: Asked, *, effect: str, waits_at: str) -> None:
    """What the request was for is committed; where it waits the server is killed."""
    wait_until(lambda: request.refused or stack.value(effect) == 1, what="the commit")
    assert request.refused == ""
    wait_until(lambda: stack.value(WAITING, waits_at) >= 1, what="the server to stand before its answer")
    assert (request.answer, request.refused) == (None, "")
    stack.kill("web")
    assert request.done().answer is None


def test_a_redemption_whose_server_was_killed_is_answered_again(stack: Stack, seeded: dict[str, Any]) -> None:
    till = Till(seeded["key_id"], seeded["secret"])
    body = BASKET | {"coupons": [seeded["code"]]}

    def redeem() -> Asked:
        path = f"{TILLS}/orders/redeem"
        headers = till.headers("POST", path, json.dumps(body).encode())
        return Asked(stack, path, body, headers | {"Idempotency-Key": "till-1-0042"})

    used = "SELECT count(*) FROM coupons_redemption"
    with psycopg.connect(stack.engines.database_url) as holder:
        holder.execute("LOCK TABLE openapi_apirequest IN ACCESS EXCLUSIVE MODE")  # the log of requests
        kill_before_answer(stack, redeem(), effect=used, waits_at="%insert into openapi_apirequest%")
    stack.start_web()
    first, second = redeem().done(), redeem().done()
    assert first.answer is not None
    assert (first.answer, first.replayed) == (second.answer, "true")
    assert first.answer["discount_fen"] == 3_000
    assert stack.value(used) == 1
    assert stack.value("SELECT sum(redeemed_count) FROM coupons_couponbatchshard") == 1


def test_a_claim_whose_server_was_killed_is_answered_again(stack: Stack, seeded: dict[str, Any]) -> None:
    def claim(key: str = "claim-0001") -> Asked:
        path = f"{MEMBERS}/coupon-batches/{seeded['batch']}/claim"
        return Asked(stack, path, {"request_key": key}, {"Authorization": f"Bearer {seeded['token']}"})

    hers = "SELECT count(*) FROM coupons_coupon WHERE request_key LIKE '%%:mini:claim-0001'"
    url = stack.engines.database_url
    with psycopg.connect(url) as holder, psycopg.connect(url) as next_in_line:
        # The claim waits for her row and reads the template; whoever waits for all of the template has it when the
        # claim is committed, and what the answer tells of it is read after that.
        holder.execute("SELECT FROM members_member WHERE id = %s FOR UPDATE", [seeded["member"]])
        request = claim()
        wait_until(
            lambda: request.refused or stack.value(WAITING, "%coupons_issue(%") == 1, what="the claim to wait"
        )
        assert request.refused == ""
        lock = "LOCK TABLE coupons_coupontemplate IN ACCESS EXCLUSIVE MODE"
        taker = threading.Thread(target=next_in_line.execute, args=[lock])
        taker.start()
        wait_until(lambda: stack.value(WAITING, "LOCK TABLE%") == 1, what="the next in line")
        holder.rollback()
        kill_before_answer(stack, request, effect=hers, waits_at='select "coupons_coupon"%')
        taker.join()
    stack.start_web()
    first, second = claim().done(), claim().done()
    assert first.answer is not None
    assert first.answer["is_new"] is False
    assert first.answer["coupon"]
    assert first.answer["coupon"] == (second.answer or {})["coupon"]
    assert claim("claim-0002").done().refused == "coupons.over_member_limit"
    assert stack.value(hers) == 1
    assert stack.value("SELECT sum(issued_count) FROM coupons_couponbatchshard") == 2
