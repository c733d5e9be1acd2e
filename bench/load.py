"""A small load generator: some keep-alive connections, one push under way on each, in a process of its own.

`python -m bench.load` reads an Order as JSON from stdin, builds all requests first, then sends them and prints
an Outcome as JSON. Each push is unique (message id, sender, nonce, ciphertext). It counts the time it was busy
itself, which shows whether it held the server back.
"""

import dataclasses
import json
import selectors
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, Final

from bench.figures import ROOT, percentile
from tests.wechat import push_kit

_ANSWER_LIMIT_S: Final = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """What to send: `count` pushes of one mode (plain or safe) over `connections` connections to a port.

    `series` keeps the pushes of different rounds apart.
    """

    port: int
    path: str
    mode: str
    app_id: str
    count: int
    connections: int
    series: int


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came back. `busy` is the share of the time in which the generator itself used a processor."""

    seconds: float
    rate: float
    p50_ms: float
    p99_ms: float
    refused_count: int
    busy: float


def send(order: Order) -> Outcome:
    """Run one order in a process of its own. Raises RuntimeError when the generator fails."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(dataclasses.asdict(order)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed:\n{done.stderr}")
    return Outcome(**json.loads(done.stdout))


# Requests ------------------------------------------------------------------------------------------------


def requests(order: Order) -> list[bytes]:
    """Whole HTTP requests, half of them messages and half scans."""
    return [_request(order, fields) for fields in _pushes(order)]


def _pushes(order: Order) -> Iterator[dict[str, Any]]:
    for number in range(order.count):
        serial = order.series * 1_000_000 + number
        sender = {"FromUserName": f"oBENCH{serial:022d}"}
        if number % 2:
            yield push_kit.message(
                **sender,
                MsgType="event",
                Event="SCAN",
                EventKey="g7Kq2",
                Ticket="gQH47zwAAAAAAAAAAS5odHRwOi8vd2VpeGlu",
            )
        else:
            yield push_kit.message(
                **sender, Content="你好，请问明天几点开门", MsgId=24_000_000_000_000_000 + serial
            )


def _request(order: Order, fields: dict[str, Any]) -> bytes:
    text = push_kit.xml(fields)
    if order.mode == "safe":
        query, body = push_kit.sealed(text, app_id=order.app_id)
    else:
        query, body = push_kit.plain_query(nonce=fields["FromUserName"][-12:]), text.encode()
    query = query | {"openid": fields["FromUserName"]}  # WeChat adds it to every push
    head = (
        f"POST {order.path}?{urllib.parse.urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"User-Agent: Mozilla/4.0\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer_of(received: bytes) -> tuple[int, bytes] | None:
    """(status, body) once all of a response is there, None before. Raises ValueError without a length."""
    head, divider, body = received.partition(b"\r\n\r\n")
    if not divider:
        return None
    _start, named, rest = head.lower().partition(b"content-length:")
    if not named:
        raise ValueError("the response does not say how long it is")
    if len(body) < int(rest.partition(b"\r\n")[0]):
        return None
    return int(head[9:12]), body


# Sending -------------------------------------------------------------------------------------------------


class _Line:
    """One connection with at most one push under way."""

    __slots__ = ("received", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def ask(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bytes] | None:
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed a connection")
        self.received += part
        return answer_of(self.received)


def run(order: Order) -> Outcome:
    """Send all pushes of an order and wait for every answer."""
    return exchange(
        requests(order), order.port, order.connections, is_fine=lambda answer: answer == (200, b"success")
    )


def exchange(
    sent: list[bytes], port: int, connections: int, *, is_fine: Callable[[tuple[int, bytes]], bool]
) -> Outcome:
    """Send everything and wait for every answer. Raises ConnectionError, TimeoutError."""
    waiting = iter(sent)
    lines = [_Line(port) for _ in range(connections)]
    latencies: list[float] = []
    refused = under_way = 0
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        busy_before, started = time.process_time(), time.perf_counter()
        for line in lines:
            if (request := next(waiting, None)) is not None:
                line.ask(request)
                under_way += 1
        while under_way:
            ready = selector.select(_ANSWER_LIMIT_S)
            if not ready:
                raise TimeoutError(f"no answer within {_ANSWER_LIMIT_S:g} s")
            for key, _events in ready:
                line = key.data
                if (answer := line.answer()) is None:
                    continue
                latencies.append(time.perf_counter() - line.sent_at)
                refused += not is_fine(answer)
                under_way -= 1
                if (request := next(waiting, None)) is not None:
                    line.ask(request)
                    under_way += 1
        seconds, busy = time.perf_counter() - started, time.process_time() - busy_before
    for line in lines:
        line.socket.close()
    return Outcome(
        seconds=seconds,
        rate=len(latencies) / seconds,
        p50_ms=percentile(latencies, 0.5) * 1000,
        p99_ms=percentile(latencies, 0.99) * 1000,
        refused_count=refused,
        busy=busy / seconds,
    )


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(run(Order(**json.load(sys.stdin))))))
