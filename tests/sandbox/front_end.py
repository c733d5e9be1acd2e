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


class FrontEnd:
    """A mini-program's server that logs in whoever brings a code; `status` is what it answers to everything else, `campaign`
    what it says of one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 200
        self.campaign: dict[str, Any] = CAMPAIGN
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append((self.path, self.headers.get("Authorization", ""), body))
                is_login = self.path == "/v1/login"
                told: dict[str, Any] = {"access_token": "token-1"}
                if not is_login:
                    is_batch = "events" in body
                    told = {"kept_count": len(body["events"])} if is_batch else owner.campaign
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
