"""What the product gives up on for the sake of a live chain has time in the tests: a machine that does much else beside is
slow, and nothing is wrong with that. Where giving up is what is tested, the test sets its own short time.
"""

import importlib
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.conf import settings

# At the database, as options of the connection; a test ends after 120 s.
_SESSION: Final = {
    "statement_timeout": 90_000,
    "lock_timeout": 90_000,
    "idle_in_transaction_session_timeout": 100_000,
}
_CONNECT_S: Final = 60
# Seconds, but for PATIENCE_MS. One run of a job is a whole run, however long it takes.
_TIMES: Final[dict[str, dict[str, float]]] = {
    "campaigns.selectors.segments.people": {"PATIENCE_MS": 60_000},
    "campaigns.services.journeys.keeping": {"_RUN_S": 100, "_RETRY_S": 100},
    "campaigns.services.journeys.running": {"_RUN_S": 100},
    "campaigns.services.outcomes": {"_RUN_S": 100},
    "campaigns.services.running.releasing": {"_RUN_S": 100},
    "campaigns.services.segment_filling": {"_RUN_S": 100},
    "campaigns.services.sending": {"_RUN_S": 100},
    "coupons.services.sold_out": {"REMEMBERED_S": 100},
    "sales.services.nine": {"_RUN_S": 100},
    "wechat.services.callback": {"BUDGET_S": 60, "_READ_BUDGET_S": 30},
    "wechat.services.follower_lookup": {"URGENT_TIMEOUT_S": 30},
    "wechat.services.reply_patterns": {"BUDGET_S": 30},
    "wechat.services.tokens": {"FETCH_TIMEOUT_S": 30, "WAIT_S": 60},
}


def pytest_configure() -> None:
    options: Any = settings.DATABASES["default"]["OPTIONS"]
    options["connect_timeout"] = _CONNECT_S
    options["options"] = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())


@pytest.fixture(autouse=True, scope="session")
def _patience() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, times in _TIMES.items():
            for name, value in times.items():
                patch.setattr(importlib.import_module(module), name, value)
        yield
