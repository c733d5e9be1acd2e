"""Keeps tests off every network but loopback, and the database empty between those that commit."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

pytest_plugins = ["tests.fixtures_cast", "tests.fixtures_stack", "tests.patience"]

# One commit is judged by the same examples wherever it is tested, and by none of its times; `make explore` looks for new ones.
for profile, is_repeatable in (("repeatable", True), ("explore", False)):
    hypothesis.settings.register_profile(
        profile,
        derandomize=is_repeatable,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Slow password hashing protects passwords, not tests; and every test client would list all static files."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Called where tests run in parallel."""
    from tests.scheduling import PieceScheduling

    return PieceScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from tests.scheduling import order

    order(items)


_real_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> Any:
    if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
        raise RuntimeError(f"a test tried to reach {address[0]}")
    return _real_connect(self, address)


@pytest.fixture(autouse=True)
def _no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Test databases are copies of a template; Django's own migrate finds nothing left to do there."""
    from django.db import connection

    from tests.template_database import ensure_template

    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = ensure_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The migrated database of pytest-django, emptied our way."""
    from tests.emptying import emptied_by_deleting  # Django is ready by now

    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(emptied_by_deleting())
        yield
