"""The server of a mini-program, as its front end in the sandbox finds it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CAMPAIGN_PAGE = "pages/campaign?c=AAAAAAAqxk2d1vMk9QeT"
COUPON = {
    "title": "满 300 减 50",
    "value_words": "满 300 元 减 50 元",
    "state": "issued",
    "state_label": "可用",
    "valid_until": "2026-12-28T00:00:00+08:00",
}
CAMPAIGN = {
    "id": "W9CAYQ7M2KXH4TBN",
    "name": "秋季上新",
    "title": "秋装上新，先看为快",
    "text": "小美，您的专属券已经到账。",
    "page": "",
    "ends_at": "2026-12-31T23:59:59+08:00",
    "coupon": {**COUPON, "id": "Zk3v0c9XhT2rQm8LwYb4uA", "may_gift": True},
}


def letter(number: int, page: str = "") -> dict[str, Any]:
    """A message of her inbox."""
    return {
        "id": f"L{number}", "topic": "coupon_expiring", "topic_label": "券到期", "title": f"第 {number} 封", "text": "快到期了",
        "page": page, "sent_at": "2026-11-28T10:05:00+08:00", "is_read": False,
    }  # fmt: skip


class FrontEnd:
    """A mini-program's server that logs in whoever brings a code; `status` is what it answers to everything else, `campaign`
    what it says of one, `letters` lie in everybody's inbox. `token` is the one it knows."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 200
        self.campaign: dict[str, Any] = CAMPAIGN
        self.letters: list[dict[str, Any]] = []
        self.token = "token-1"
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                whose = self.headers.get("Authorization", "")
                owner.asked.append((self.path, whose, body))
                if self.path == "/v1/login":
                    self._say(200, {"access_token": owner.token})
                elif whose != f"Bearer {owner.token}":
                    self._say(401, {"code": "miniapp.not_logged_in", "message": "请重新登录"})
                else:
                    self._say(owner.status, owner.tell(self.path, body))

            def _say(self, status: int, told: dict[str, Any]) -> None:
                raw = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        ).start()

    def tell(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What it says to who is logged in."""
        if "events" in body:
            return {"kept_count": len(body["events"])}
        if not path.startswith("/v1/inbox"):
            return self.campaign
        for letter in self.letters:
            letter["is_read"] |= path in (f"/v1/inbox/{letter['id']}/read", "/v1/inbox/read-all")
        unread = sum(not letter["is_read"] for letter in self.letters)
        return {"messages": self.letters, "unread_count": unread, "next_cursor": None, "read_mark": "mark-1"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
