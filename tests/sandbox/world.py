"""A driver for one sandbox: short words for what the tests do all the time."""

from typing import Any

import httpx

from tests.sandbox.callback import APP, KEY, ORIGINAL, SECRET, TOKEN, Callback

ACCOUNT: dict[str, Any] = {
    "name": "小二服装",
    "kind": "official",
    "app_secret": SECRET,
    "original_id": ORIGINAL,
    "token": TOKEN,
    "aes_key": KEY,
    "mode": "safe",
    "format": "xml",
    "open_platform": "op-main",
    "oauth_domains": None,
}


class Driver:
    """Talks to the sandbox over HTTP, both as a test script and as an account's server."""

    def __init__(self, base_url: str, callback: Callback) -> None:
        self.base_url = base_url
        self.callback = callback
        self.http = httpx.Client(base_url=base_url, trust_env=False, verify=False, timeout=60)
        self._token = ""

    def script(self, method: str, path: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
        answer = self.http.request(method, f"/_{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def account(self, **changes: Any) -> dict[str, Any]:
        body = {**ACCOUNT, "callback_url": self.callback.url, **changes}
        app_id = body.pop("app_id", APP)
        return dict(self.script("PUT", f"/accounts/{app_id}", body))

    def person(self, name: str = "小美", **more: Any) -> dict[str, Any]:
        return dict(self.script("POST", "/people", {"name": name, **more}))

    def act(self, person: dict[str, Any], act: str, **body: Any) -> dict[str, Any]:
        return dict(self.script("POST", f"/people/{person['id']}/{act}", {"app_id": APP, **body}))

    def chat(self, person: dict[str, Any], app_id: str = APP) -> list[dict[str, Any]]:
        return list(self.script("GET", f"/people/{person['id']}/chat?app_id={app_id}")["bubbles"])

    def advance(self, seconds: float) -> None:
        self.script("POST", "/clock", {"advance": seconds})

    def stable(self, *, force: bool = False, app_id: str = APP, secret: str = SECRET) -> dict[str, Any]:
        body = {"grant_type": "client_credential", "appid": app_id, "secret": secret, "force_refresh": force}
        return dict(self.http.post("/api/cgi-bin/stable_token", json=body).json())

    def classic(self, **query: str) -> dict[str, Any]:
        full = {"grant_type": "client_credential", "appid": APP, "secret": SECRET, **query}
        return dict(self.http.get("/api/cgi-bin/token", params=full).json())

    def token(self) -> str:
        return str(self.stable()["access_token"])

    def get(self, path: str, *, token: str | None = None, **query: str) -> Any:
        params = {"access_token": self.token() if token is None else token, **query}
        answer = self.http.get(f"/api{path}", params=params)
        assert answer.status_code == 200
        return answer.json()

    def post(self, path: str, body: Any, *, token: str | None = None) -> Any:
        params = {"access_token": self.token() if token is None else token}
        if isinstance(body, bytes):
            answer = self.http.post(f"/api{path}", params=params, content=body)
        else:
            answer = self.http.post(f"/api{path}", params=params, json=body)
        assert answer.status_code == 200
        return answer.json()

    def code(self, scene: str = "g7Kq2", *, seconds: int = 600) -> dict[str, Any]:
        action = {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
        return dict(self.post("/cgi-bin/qrcode/create", {**action, "expire_seconds": seconds}))

    def say(self, openid: str, content: str = "你好") -> dict[str, Any]:
        body = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        return dict(self.post("/cgi-bin/message/custom/send", body))
