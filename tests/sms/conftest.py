"""The sandbox as the provider of text messages, with a key of its own for each test."""

import json
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.sandbox_process import running_sandbox


class Provider:
    """The scripting side of the provider."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.key_id = f"key-{uuid.uuid4().hex[:8]}"

    def script(self, method: str, path: str, /, **body: Any) -> Any:
        data = json.dumps(body).encode() if method != "GET" else None
        request = urllib.request.Request(f"{self.base_url}/_{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def texts(self, phone: str) -> list[str]:
        return [text["text"] for text in self.script("GET", f"/texts?phone={phone}")["texts"]]

    def fault(self, kind: str, **more: Any) -> None:
        self.script("POST", "/faults", target="calls", kind=kind, path="/sms/send", **more)


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture
def provider(provider_url: str, settings: Settings, transactional_db: None) -> Iterator[Provider]:
    one = Provider(provider_url)
    templates = {"SMS_1001": "您的验证码是 ${code}，5 分钟内有效。"}
    one.script("PUT", f"/sms/{one.key_id}", key_secret="planted-secret", signs=["素衣"], templates=templates)
    settings.SMS_GATEWAY = "sandbox"
    settings.SMS_URL = f"{provider_url}/sms/send"
    settings.SMS_KEY_ID = one.key_id
    settings.SMS_KEY_SECRET = "planted-secret"
    settings.SMS_SIGN = "素衣"
    settings.SMS_TEMPLATE_CODES = {"verification_code": "SMS_1001"}
    settings.SMS_TIMEOUT_S = 1
    yield one
    one.script("DELETE", "/faults")
