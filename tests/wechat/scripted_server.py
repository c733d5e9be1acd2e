"""A small HTTP server that answers as a test tells it, for what the sandbox is too well-behaved to do."""

import contextlib
import dataclasses
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wechat.client import transport

TOKEN_PATH = "/cgi-bin/stable_token"


@dataclasses.dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str
    port: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass(frozen=True)
class Reply:
    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    delay_s: float = 0
    is_dropped: bool = False  # the connection is closed without an answer
    is_cut: bool = False  # the connection is closed in mid-answer
    location: str = ""


def ok(**fields: Any) -> Reply:
    return Reply(json.dumps(fields, ensure_ascii=False).encode())


def error(errcode: int | str, errmsg: str = "no rid: 6a1b-2c3d-4e5f") -> Reply:
    return ok(errcode=errcode, errmsg=errmsg)


def token_reply(value: str = "token-1", expires_in: int = 7200) -> Reply:
    return ok(access_token=value, expires_in=expires_in)


HTML = Reply(b"<!DOCTYPE html><html><body>502</body></html>", content_type="text/html")
EMPTY = Reply(b"")
DROP = Reply(is_dropped=True)
FINE = error(0, "ok")

Answerer = Reply | Callable[[Seen], Reply]

# How long a call may take where the answer is to come too late, and where it is not.
LATE_S, PATIENCE_S = 1, 30


class ScriptedServer:
    """`script(path, …)` queues answers for a path; the last one repeats.

    Whoever asks waits long, for a busy machine may answer late; `when_late` is called where a scripted answer is to come
    too late, so that nobody waits long for that.
    """

    def __init__(self, when_late: Callable[[], None] = lambda: None) -> None:
        self.seen: list[Seen] = []
        self._when_late = when_late
        self._answers: dict[str, deque[Answerer]] = defaultdict(deque)
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement

            def log_message(self, *_arguments: Any) -> None:
                pass

            def _serve(self) -> None:
                outer._serve(self)

            do_GET = do_POST = _serve  # noqa: N815  # the standard library's names

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.script(TOKEN_PATH, token_reply())

    def script(self, path: str, *answers: Answerer) -> None:
        self._answers[path] = deque(answers)
        if any(isinstance(answer, Reply) and answer.delay_s > LATE_S for answer in answers):
            self._when_late()

    def calls(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == path]

    def _answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            queue = self._answers.get(seen.path)
            if not queue:
                return Reply(b"not scripted", 404, "text/plain")
            answer = queue.popleft() if len(queue) > 1 else queue[0]
        return answer(seen) if callable(answer) else answer

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        _root, _prefix, rest = parts.path.split("/", 2)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        seen = Seen(
            handler.command,
            f"/{rest}",
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            body,
            handler.headers.get("Content-Type", ""),
            handler.client_address[1],
        )
        reply = self._answer(seen)
        time.sleep(reply.delay_s)
        handler.close_connection = reply.is_dropped or reply.is_cut
        if reply.is_dropped:
            return
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.content_type)
        handler.send_header("Content-Length", str(len(reply.body) + (100 if reply.is_cut else 0)))
        if reply.location:
            handler.send_header("Location", reply.location)
        handler.end_headers()
        handler.wfile.write(reply.body)

    @contextlib.contextmanager
    def running(self) -> Iterator["ScriptedServer"]:
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def hosts_at(base_url: str) -> dict[str, str]:
    """settings.WECHAT_HOSTS for a stand-in at this address."""
    return {
        "api.weixin.qq.com": f"{base_url}/api",
        "mp.weixin.qq.com": f"{base_url}/mp",
        "open.weixin.qq.com": f"{base_url}/open",
    }


@contextlib.contextmanager
def in_wechats_place(settings: Any) -> Iterator[ScriptedServer]:
    """A scripted server that all calls go to; pytest-django's `settings` forget it after the test."""

    def hurry() -> None:
        settings.WECHAT_TIMEOUT_S = LATE_S

    with ScriptedServer(hurry).running() as running:
        settings.WECHAT_HOSTS = hosts_at(running.base_url)
        settings.WECHAT_TIMEOUT_S = PATIENCE_S
        yield running
        transport.connections().close()
