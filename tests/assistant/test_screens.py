"""Refusals, crashes and outages in the look of the rest; and how much a phone has to load."""

import gzip
import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views import defaults

from assistant.screens import open_screen
from core.errors import Conflict, NotFound, Unavailable
from tests.assistant.test_pages import PAGES, give_members, give_ticket


def refused_with(error: Exception, **headers: str) -> HttpResponse:
    @open_screen
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view(RequestFactory().get("/a/x/", headers=headers))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound(), 404, "core.not_found"),
        (Conflict(), 409, "core.conflict"),
        (Unavailable(), 503, "core.unavailable"),
        (OperationalError("the server closed the connection"), 503, "assistant.database_away"),
    ],
)
def test_a_refusal_is_a_page_or_a_toast(error, status, code):
    page = refused_with(error)
    toast = refused_with(error, **{"HX-Request": "true"})

    assert (page.status_code, page["X-Refusal"]) == (status, code)
    assert "assistant/assistant.css" in page.content.decode()
    assert (toast.status_code, toast.content) == (status, b"")
    assert f'"code": "{code}"' in toast["HX-Trigger"]
    toast["HX-Trigger"].encode("ascii")
    assert "server closed" not in page.content.decode()


def test_only_what_may_pass_offers_to_try_again():
    assert 'href="/a/x/"' in refused_with(Unavailable()).content.decode()
    assert 'href="/a/x/"' not in refused_with(Conflict()).content.decode()


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda request: defaults.bad_request(request, ValueError()), 400),
        (lambda request: defaults.permission_denied(request, PermissionError()), 403),
        (lambda request: defaults.page_not_found(request, ValueError()), 404),
        (defaults.server_error, 500),
    ],
)
def test_djangos_own_error_pages_have_the_same_look(view, status):
    answer = view(RequestFactory().get("/a/"))

    assert answer.status_code == status
    assert "assistant/assistant.css" in answer.content.decode()


Colour = tuple[float, float, float]
PAGE = {"light": (237.0, 237.0, 237.0), "dark": (17.0, 17.0, 17.0)}  # WeUI's --weui-BG-0


def colours(scheme: str) -> dict[str, str]:
    """The variables of assistant.css; the dark block stands second."""
    blocks = re.findall(
        r"body:not\(\[data-weui-theme='light'\]\) \{(.*?)\}",
        read_file("assistant/assistant.css").decode(),
        re.S,
    )
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", blocks[scheme == "dark"]))


def painted(value: str, ground: Colour) -> Colour:
    """The colour a value shows on a ground."""
    if value.startswith("#"):
        digits = value[1:] if len(value) == 7 else "".join(digit * 2 for digit in value[1:])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    red, green, blue, share = (float(number) for number in re.findall(r"[\d.]+", value))
    return (
        ground[0] + (red - ground[0]) * share,
        ground[1] + (green - ground[1]) * share,
        ground[2] + (blue - ground[2]) * share,
    )


def contrast(text: Colour, ground: Colour) -> float:
    """WCAG 2.2, "contrast ratio"."""

    def luminance(colour: Colour) -> float:
        linear = [
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(text), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_dark(scheme):
    found = colours(scheme)
    page = PAGE[scheme]
    card = painted(found["card"], page)
    pairs = {f"tone {n}": (found[f"ink-{n}"], painted(found[f"tone-{n}"], card)) for n in range(6)}
    pairs |= {
        "quiet on a card": (found["quiet"], card),
        "quiet on the page": (found["quiet"], page),
        "quiet on a tag": (found["quiet"], painted(found["tag"], card)),
        "member": (found["member"], painted(found["member-ground"], card)),
        "new": (found["new"], painted(found["new-ground"], card)),
        "wrong": (found["wrong"], page),
        "brand on the page": (found["weui-BRAND"], page),
        "brand on a card": (found["weui-BRAND"], card),
        "main button": ("#ffffff", painted(found["button"], card)),
    }

    too_weak = {
        name: round(contrast(painted(text, ground), ground), 2)
        for name, (text, ground) in pairs.items()
        if contrast(painted(text, ground), ground) < 4.5
    }

    assert too_weak == {}


def compressed(data: bytes) -> int:
    return len(gzip.compress(data, 6))


def linked_files(answer: Any) -> set[str]:
    return set(re.findall(r'/static/([^"#]+)', answer.content.decode()))


def read_file(name: str) -> bytes:
    found = finders.find(name)
    assert found is not None, name
    with open(found, "rb") as file:
        return file.read()


@pytest.mark.django_db
def test_the_first_page_is_light_and_the_next_ones_lighter(cast, log_in):
    give_members(cast.lina, 40)
    give_ticket(cast.lina)
    client = log_in(cast.lina)
    first = client.get("/a/")
    files = linked_files(first)

    first_load = compressed(first.content) + sum(compressed(read_file(name)) for name in files)
    next_pages = {path: compressed(client.get(path).content) for path in PAGES}

    travelled = client.get("/a/members/", headers={"Accept-Encoding": "gzip"})
    assert travelled["Content-Encoding"] == "gzip"
    assert len(travelled.content) <= 15_000
    assert first_load <= 150_000
    assert max(next_pages.values()) <= 15_000
    assert all(linked_files(client.get(path)) <= files for path in PAGES)
