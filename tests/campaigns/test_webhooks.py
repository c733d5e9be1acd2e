"""Webhooks: signed, at least once, with pauses between tries, and only to where head office said."""

import datetime as dt
import hashlib
import hmac
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from campaigns import services
from campaigns.contracts.acts import Act, ActTarget
from campaigns.errors import WebhookCodeTaken, WebhookUnusable
from campaigns.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from campaigns.services.acts import perform
from campaigns.services.webhook_sending import LEASE, PAUSES, hand_lease
from core import clock
from core.actor import Actor
from core.errors import NotAllowed
from members import services as member_services
from tests.cast import Cast
from webhook import is_public

BOSS = Actor.system("test")


class Listener:
    """Somebody else's machine; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.seen: list[tuple[dict[str, str], bytes]] = []
        listener = self

        class _Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.seen.append((dict(self.headers), body))
                self.send_response(listener.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.port = self.server.server_address[1]
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        ).start()


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listener]:
    listener = Listener()
    settings.WEBHOOK_INSIDE_HOSTS = [f"127.0.0.1:{listener.port}"]
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


@pytest.fixture
def endpoint(transactional_db: None, listener: Listener) -> WebhookEndpoint:
    return services.create_endpoint(
        code="crm", name="客户系统", url=f"http://127.0.0.1:{listener.port}/hooks?x=1", actor=BOSS
    )


def tell(member_id: int, key: str = "k1") -> WebhookDelivery:
    with transaction.atomic():
        perform(
            act=Act("webhook", {"endpoint": "crm"}),
            targets=[ActTarget(member_id, key, {"day": "2026-12-01"})],
            actor=BOSS,
            at=clock.now(),
        )
    return WebhookDelivery.objects.get(key=key)


def test_it_arrives_once_with_a_signature_over_moment_and_body(
    endpoint: WebhookEndpoint, listener: Listener, cast: Cast
) -> None:
    row = tell(cast.xiaomei.id)
    assert services.work_webhooks() == 1
    assert services.work_webhooks() == 0
    [(headers, body)] = listener.seen
    signed = headers["X-Xiaoer-Timestamp"].encode() + b"." + body
    wanted = hmac.new(endpoint.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Xiaoer-Signature"] == f"sha256={wanted}"
    assert headers["X-Xiaoer-Id"] == "k1"
    assert headers["Host"] == f"127.0.0.1:{listener.port}"
    row.refresh_from_db()
    assert (row.state, row.status_code) == (DeliveryState.DELIVERED, 200)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_refused_is_tried_again_later_and_in_the_end_given_up(
    status: int, endpoint: WebhookEndpoint, listener: Listener, cast: Cast
) -> None:
    row, listener.status = tell(cast.xiaomei.id), status
    services.work_webhooks()
    row.refresh_from_db()
    assert (row.state, row.code, row.status_code) == (DeliveryState.WAITING, "status", status)
    assert row.not_before > clock.now() + PAUSES[0] / 2
    assert services.work_webhooks() == 0
    WebhookDelivery.objects.update(attempt_count=len(PAUSES), not_before=clock.now())
    services.work_webhooks()
    row.refresh_from_db()
    assert row.state == DeliveryState.FAILED
    assert len(listener.seen) == 2
    listener.status = 204
    services.retry_delivery(delivery_id=row.pk, actor=BOSS)
    services.work_webhooks()
    row.refresh_from_db()
    assert row.state == DeliveryState.DELIVERED
    with pytest.raises(NotAllowed):
        services.retry_delivery(delivery_id=row.pk, actor=BOSS)


def test_a_hand_of_many_slow_endpoints_is_nobody_elses_before_its_last_round() -> None:
    # Each has eight in hand at most, and eight threads send: a round an endpoint.
    assert [hand_lease(count) / LEASE for count in (0, 1, 5)] == [1, 1, 5]


def test_what_a_dead_sender_left_is_told_again_under_its_id(
    endpoint: WebhookEndpoint, listener: Listener, cast: Cast
) -> None:
    row = tell(cast.xiaomei.id)
    WebhookDelivery.objects.update(
        state="sending", lease_holder="dead", leased_until=clock.now() - dt.timedelta(seconds=1)
    )
    services.work_webhooks()
    row.refresh_from_db()
    assert row.state == DeliveryState.DELIVERED
    assert listener.seen[0][0]["X-Xiaoer-Id"] == row.key


def test_nobody_there_is_tried_again_and_another_endpoint_hears_meanwhile(
    endpoint: WebhookEndpoint, listener: Listener, cast: Cast, settings: Settings
) -> None:
    settings.WEBHOOK_INSIDE_HOSTS = [*settings.WEBHOOK_INSIDE_HOSTS, "127.0.0.1:9"]
    dead = services.create_endpoint(code="dead", name="没人", url="http://127.0.0.1:9/", actor=BOSS)
    rows = [
        WebhookDelivery(
            key=f"d{n}", endpoint=dead, member_id=cast.xiaomei.id, content="{}", created_at=clock.now(),
            not_before=clock.now(),
        )
        for n in range(20)
    ]  # fmt: skip
    WebhookDelivery.objects.bulk_create(rows)
    tell(cast.xiaomei.id)
    services.work_webhooks()
    assert WebhookDelivery.objects.get(key="k1").state == DeliveryState.DELIVERED
    assert set(WebhookDelivery.objects.filter(endpoint=dead).values_list("code", flat=True)) == {"no_answer"}


def test_who_was_erased_is_told_of_no_more(endpoint: WebhookEndpoint, listener: Listener, cast: Cast) -> None:
    row = tell(cast.xiaomei.id)
    member_services.erase_member(member_id=cast.xiaomei.id, reason="staff", actor=BOSS)
    assert services.work_webhooks() == 0
    row.refresh_from_db()
    assert (row.state, row.content) == (DeliveryState.SKIPPED, "")


def test_an_endpoint_that_is_off_waits(endpoint: WebhookEndpoint, listener: Listener, cast: Cast) -> None:
    tell(cast.xiaomei.id)
    values: dict[str, Any] = {
        "endpoint_id": endpoint.pk,
        "name": "客户系统",
        "url": endpoint.url,
        "actor": BOSS,
    }
    services.change_endpoint(is_active=False, **values)
    assert services.work_webhooks() == 0
    services.change_endpoint(is_active=True, **values)
    assert services.work_webhooks() == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.com/", "https://user:pw@crm.example.com/", "https://127.0.0.1/", "https://[::1]/", "ftp://crm.cn",
        "https://localhost/", "https://metadata/", "https://crm.example.com:99999/", "https://crm.example.com/#x", "",
        "https://10.0.0.8/", "https://crm.example.com/a b", "https://2130706433/", "https://公司.cn/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_internet_are_refused(url: str, db: None) -> None:
    with pytest.raises(WebhookUnusable):
        services.create_endpoint(code="x", name="x", url=url, actor=BOSS)


def test_a_code_is_taken_once(db: None) -> None:
    services.create_endpoint(code="crm", name="一", url="https://crm.example.com/", actor=BOSS)
    with pytest.raises(WebhookCodeTaken):
        services.create_endpoint(code="crm", name="二", url="https://crm.example.com/", actor=BOSS)
    with pytest.raises(WebhookUnusable):
        services.create_endpoint(code="CRM!", name="三", url="https://crm.example.com/", actor=BOSS)


def test_a_public_name_that_points_inside_is_not_called(
    endpoint: WebhookEndpoint, listener: Listener, cast: Cast, settings: Settings
) -> None:
    row = tell(cast.xiaomei.id)
    settings.WEBHOOK_INSIDE_HOSTS = []  # the name is one of the internet now, and leads to our own machine
    services.work_webhooks()
    row.refresh_from_db()
    assert (row.state, row.code, listener.seen) == (DeliveryState.WAITING, "not_public", [])


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "192.168.1.1", "100.64.0.1"],
)  # fmt: skip
def test_inner_addresses_are_known(address: str) -> None:
    assert not is_public(address)
    assert is_public("114.114.114.114")
