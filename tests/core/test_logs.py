"""Logs without personal data; refusals that survive a worker's pickle."""

import json
import logging
import pickle

import pytest

from core.errors import NotFound, Refusal
from core.logs import JsonFormatter, redact


@pytest.mark.parametrize(
    ("text", "planted"),
    [
        ("call 13912345678 now", "13912345678"),
        ("+8613912345678", "13912345678"),
        ("user oYnIVh4lJbowNbo5CV3phi2PeJpH left", "oYnIVh4lJbowNbo5CV3phi2PeJpH"),
        ("GET /cgi-bin/token?appid=wx1&secret=abcdef123456", "abcdef123456"),
        ('{"access_token": "abc_def-123"}', "abc_def-123"),
        ("access_token=TOKEN_1234&openid=x", "TOKEN_1234"),
    ],
)
def test_personal_data_and_credentials_are_blanked(text: str, planted: str) -> None:
    assert planted not in redact(text)


@pytest.mark.parametrize(
    "text", ["order 139123456789012", "guides.member_bound", "errcode 45015", "code ABC"]
)
def test_ordinary_numbers_and_words_stay(text: str) -> None:
    assert redact(text) == text


def test_a_line_is_one_json_object_with_its_extras_and_exception() -> None:
    try:
        raise ValueError("13912345678")
    except ValueError:
        record = logging.getLogger("x").makeRecord(
            "x",
            logging.ERROR,
            "f",
            1,
            "push.failed %s",
            ("now",),
            __import__("sys").exc_info(),
            extra={"inbound_id": 7},
        )
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["inbound_id"], line["level"]) == ("push.failed now", 7, "error")
    assert "ValueError" in line["exception"]
    assert "13912345678" not in line["exception"]


def test_a_refusal_survives_pickling_with_code_and_details() -> None:
    class_, again = NotFound, pickle.loads(pickle.dumps(NotFound(field="code")))
    assert type(again) is class_
    assert (again.code, again.details, again.http_status) == ("core.not_found", {"field": "code"}, 404)
    assert isinstance(again, Refusal)
