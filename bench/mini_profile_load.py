"""`python -m bench.mini_profile_load`: GETs with bearer tokens over keep-alive connections; an Outcome as JSON."""

import dataclasses
import json
import sys
from typing import Any

from bench import load


def requests(order: dict[str, Any]) -> list[bytes]:
    """Whole requests, the members in turn."""
    tokens = order["tokens"]
    return [
        (
            f"GET {order['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
            f"Authorization: Bearer {tokens[number % len(tokens)]}\r\n\r\n"
        ).encode()
        for number in range(order["count"])
    ]


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    outcome = load.exchange(
        requests(wanted), wanted["port"], wanted["connections"], is_fine=lambda answer: answer[0] == 200
    )
    print(json.dumps(dataclasses.asdict(outcome)))
