"""`python -m bench.wechat_stub <latency in ms>`: answers every request as WeChat answers one that went well, and prints its
port. `GET /count` is how many messages there were. It does as little as it can, so that the senders are what is measured."""

import asyncio
import json
import sys
from typing import Final

_GOOD: Final = json.dumps(
    {"errcode": 0, "errmsg": "ok", "msgid": 200228332, "access_token": "t" * 136, "expires_in": 7200}
).encode()
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_SEND: Final = b"/send?"


class _Connection(asyncio.Protocol):
    count = 0
    latency_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_END)) >= 0:
            head = self._received[:end].lower()
            place = head.find(_LENGTH)
            length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            whole = end + len(_END) + length
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._answer(is_count=head.startswith(b"get /count"), is_send=_SEND in head)

    def _answer(self, *, is_count: bool, is_send: bool) -> None:
        _Connection.count += is_send
        body = str(_Connection.count).encode() if is_count else _GOOD
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )
        if self.latency_s and is_send:
            asyncio.get_running_loop().call_later(self.latency_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    _Connection.latency_s = float(sys.argv[1]) / 1000
    asyncio.run(_serve())
