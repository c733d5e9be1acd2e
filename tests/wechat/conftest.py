"""An account of each mode, and a caller of the callback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.wechat import push_kit
from tests.wechat.gateway_out import account, sandbox, sandbox_account, sandbox_url, server  # noqa: F401
from tests.wechat.outbox_kit import JPEG
from wechat.models import Account
from wechat.services import accounts
from wechat.services.callback import Answer, answer


@pytest.fixture(autouse=True)
def _fresh_account_cache() -> Any:
    accounts.forget_cached()
    yield
    accounts.forget_cached()


def make_account(slug: str = "safe", mode: str = "safe", **fields: Any) -> Account:
    values = {
        "name": slug,
        "kind": "official",
        "app_id": push_kit.APP_ID,
        "original_id": push_kit.ORIGINAL_ID,
        "app_secret": "planted-app-secret",
        "push_token": push_kit.TOKEN,
        "push_mode": mode,
        "aes_key": push_kit.AES_KEY,
    }
    return Account.objects.create(slug=slug, **(values | fields))


@pytest.fixture
def safe_account(db: None) -> Account:
    return make_account()


@pytest.fixture
def plain_account(db: None) -> Account:
    return make_account("plain", "plain", aes_key="")


Push = Callable[..., Answer]


@pytest.fixture
def push_safe(safe_account: Account) -> Push:
    def push(fields: dict[str, Any], **options: Any) -> Answer:
        query, body = push_kit.sealed(push_kit.xml(fields), **options)
        return answer("safe", "POST", query, body)

    return push


@pytest.fixture
def push_plain(plain_account: Account) -> Push:
    def push(fields: dict[str, Any], query: dict[str, str] | None = None) -> Answer:
        return answer("plain", "POST", query or push_kit.plain_query(), push_kit.xml(fields).encode())

    return push


@pytest.fixture
def thumb(tmp_path: Path) -> Path:
    path = tmp_path / "thumb.jpg"
    path.write_bytes(JPEG)
    return path
