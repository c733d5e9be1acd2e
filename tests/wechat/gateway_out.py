"""Fixtures of the tests of calls out: an account, a scripted server, the real sandbox."""

import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from tests import threads
from tests.sandbox_process import running_sandbox
from tests.wechat.scripted_server import ScriptedServer, hosts_at, in_wechats_place
from wechat.client import transport
from wechat.models import Account

APP_ID = "wx00000000000000a1"
SECRET = "plantedsecret0123456789abcdef0000"
OPENID = "oPLANTED_openid_0123456789ab"
PHONE = "13800138000"


def open_account(**fields: Any) -> Account:
    """The account every test here calls out for."""
    return Account.objects.create(
        **{
            "slug": "main",
            "name": "小二服饰",
            "app_id": APP_ID,
            "original_id": "gh_main",
            "app_secret": SECRET,
            "push_token": "pushtoken",
            "aes_key": "A" * 43,
            **fields,
        }
    )


@pytest.fixture
def account(transactional_db: None) -> Account:
    """Committed, since calls out refuse to run inside a transaction."""
    return open_account()


@pytest.fixture
def server(settings: Settings) -> Iterator[ScriptedServer]:
    """The scripted server in WeChat's place."""
    with in_wechats_place(settings) as running:
        yield running


class Sandbox:
    """The scripting API of the sandbox, with one account set up in it."""

    def __init__(self, base_url: str, app_id: str) -> None:
        self.base_url = base_url
        self.app_id = app_id

    def ask(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        data = json.dumps(body).encode() if method != "GET" else None
        request = urllib.request.Request(f"{self.base_url}/_{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: dict[str, Any] = json.loads(answer.read())
            return result

    def follower(self, name: str = "小美") -> tuple[str, str]:
        """A person who follows: her sandbox id and her openid. Nobody hears the push."""
        person = self.ask("POST", "/people", name=name)
        self.ask("POST", f"/people/{person['id']}/follow", app_id=self.app_id, wait=False)
        return person["id"], self.openid(person["id"])

    def openid(self, person_id: str) -> str:
        return str(self.ask("GET", f"/people/{person_id}")["openids"][self.app_id])

    def chat(self, person_id: str) -> list[dict[str, Any]]:
        bubbles: list[dict[str, Any]] = self.ask("GET", f"/people/{person_id}/chat?app_id={self.app_id}")[
            "bubbles"
        ]
        return [bubble for bubble in bubbles if bubble.get("via") == "cs"]

    def fault(self, kind: str, path: str, **more: Any) -> None:
        self.ask("POST", "/faults", target="calls", kind=kind, path=path, **more)


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture
def sandbox(sandbox_url: str, settings: Settings, transactional_db: None) -> Iterator[Sandbox]:
    """The sandbox in WeChat's place, with an account of its own for each test."""
    app_id = f"wx{uuid.uuid4().hex[:16]}"
    handle = Sandbox(sandbox_url, app_id)
    handle.ask(
        "PUT",
        f"/accounts/{app_id}",
        name="小二服饰",
        app_secret=SECRET,
        original_id="gh_main",
        token="pushtoken",
        aes_key="A" * 43,
        open_platform="op1",
    )
    settings.WECHAT_HOSTS = hosts_at(sandbox_url)
    open_account(app_id=app_id)
    yield handle
    handle.ask("DELETE", "/faults")
    transport.connections().close()


@pytest.fixture
def sandbox_account(sandbox: Sandbox) -> Account:
    return Account.objects.get(app_id=sandbox.app_id)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` … `work(count - 1)` on real threads, all released together; failures are in the list."""
    return threads.at_once([partial(work, number) for number in range(count)])
