"""Headless Chromium for tests, where the machine has one."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 60_000
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@contextlib.contextmanager
def browser_pages() -> Iterator[Callable[..., Any]]:
    """Yields a function that opens a page of its own context; script errors on any page fail at the end."""
    from playwright.sync_api import expect, sync_playwright

    # A busy machine may be slow; what never comes fails all the same.
    expect.set_options(timeout=PATIENCE_MS)
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def open_page(*, width: int, height: int, **options: Any) -> Any:
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: errors.append(str(error)))
            return page

        yield open_page
        browser.close()
    assert errors == []
