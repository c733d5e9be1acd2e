"""A person browses a mini-program: its front end logs in at the account's server and tells what she did."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.world import Driver

MINI = "wxmini0000000001"


class Server:
    """A mini-program's server that logs in whoever brings a code; `status` is what it answers to a batch."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 200
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append((self.path, self.headers.get("Authorization", ""), body))
                is_login = self.path == "/v1/login"
                told = {"access_token": "token-1"} if is_login else {"kept_count": len(body["events"])}
                raw = json.dumps(told).encode()
                self.send_response(200 if is_login else owner.status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


def browse(driver: Driver, **account: Any) -> Any:
    driver.account(app_id=MINI, name="小二商城", kind="mini_program", **account)
    person = driver.person()
    return driver.http.post(f"/_/people/{person['id']}/mini/browse", json={"app_id": MINI})


def test_she_is_logged_in_and_what_she_did_is_told(driver: Driver, server: Server) -> None:
    answer = browse(driver, api_url=server.url, goods=["A1", "B2"]).json()
    assert (answer["outcome"], answer["sent"], answer["answer"]) == ("browsed", 5, {"kept_count": 5})
    (login, _none, given), (told, token, batch) = server.asked
    assert (login, told, token) == ("/v1/login", "/v1/behaviours", "Bearer token-1")
    assert (given["app_id"], bool(given["code"])) == (MINI, True)
    kinds = [one["kind"] for one in batch["events"]]
    assert kinds == ["page_viewed", "searched", "product_viewed", "product_viewed", "cart_added"]
    assert len({one["key"] for one in batch["events"]}) == 5
    assert {one["with"]["product"] for one in batch["events"] if "product" in one["with"]} == {"A1", "B2"}


def test_without_a_server_and_with_one_that_refuses_or_is_away_it_is_said(
    driver: Driver, server: Server
) -> None:
    assert (browse(driver).status_code, browse(driver).json()["error"]) == (409, "no_api_url")
    server.status = 500
    assert browse(driver, api_url=server.url).json()["error"] == "api_refused"
    server.close()
    assert browse(driver, api_url=server.url).json()["error"] == "api_away"
