"""A mini-program in the sandbox, and phones that talk to our API as its front end would."""

import json
import urllib.request
import uuid
from typing import Any

from django.test import Client

from tests.sms.kit import Provider
from wechat.models import Account

SECRET = "plantedsecret0123456789abcdef0001"
API = "/api/mini/v1"


class Phone:
    """One person's phone with our mini-program on it; keeps the tokens of its last login."""

    def __init__(self, mini: "Mini", person: dict[str, Any]) -> None:
        self.mini = mini
        self.person = person
        self.client = Client(raise_request_exception=False)
        self.access = ""
        self.refresh = ""
        self.device_id = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response, with its JSON in `.data`."""
        if self.access:
            headers.setdefault("authorization", f"Bearer {self.access}")
        data = body if isinstance(body, bytes | str) else json.dumps({} if body is None else body)
        options: dict[str, Any] = {} if method == "GET" else {"data": data}
        options |= {"content_type": headers.pop("content_type", "application/json")}
        response = self.client.generic(method, f"{API}{path}", headers=headers, **options)
        response.data = json.loads(response.content) if response.content else None  # type: ignore[attr-defined]
        return response

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, body)

    def login_code(self) -> str:
        return str(self.mini.act(self.person, "login")["code"])

    def log_in(self, **more: Any) -> Any:
        answer = self.post("/login", {"code": self.login_code(), "app_id": self.mini.app_id, **more})
        self.keep(answer)
        return answer

    def keep(self, answer: Any) -> None:
        if answer.status_code == 200:
            self.access, self.refresh = answer.data["access_token"], answer.data["refresh_token"]
            self.device_id = answer.data["device_id"]

    def phone_code(self, **more: Any) -> str:
        return str(self.mini.act(self.person, "phone", **more)["code"])

    def sealed_phone(self, **more: Any) -> dict[str, str]:
        given = self.mini.act(self.person, "phone", **more)
        return {"encrypted_data": given["encryptedData"], "iv": given["iv"]}

    def prove_phone(self) -> Any:
        return self.post("/phone/code", {"code": self.phone_code()})

    @property
    def openid(self) -> str:
        return str(self.person["openids"][self.mini.app_id])


class Mini:
    """The sandbox with one mini-program, and an official account of the same Open Platform account."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.app_id = f"wx{uuid.uuid4().hex[:16]}"
        self.official_id = f"wx{uuid.uuid4().hex[:16]}"
        self.sms = Provider(base_url)

    def set_up(self) -> None:
        for app_id, kind in ((self.app_id, "mini_program"), (self.official_id, "official")):
            self.script(
                "PUT",
                f"/accounts/{app_id}",
                name="素衣",
                kind=kind,
                app_secret=SECRET,
                original_id="gh_main",
                token="pushtoken",
                aes_key="A" * 43,
                open_platform=self.app_id,
            )
        self.sms.set_up()
        self.account = self.open_account(self.app_id)

    def open_account(self, app_id: str, slug: str = "mini", **more: Any) -> Account:
        values: dict[str, Any] = {
            "slug": slug,
            "name": "素衣",
            "kind": "mini_program",
            "app_id": app_id,
            "original_id": "gh_mini",
            "app_secret": SECRET,
            "push_token": "pushtoken",
            "aes_key": "A" * 43,
        }
        return Account.objects.create(**values | more)

    def script(self, method: str, path: str, /, **body: Any) -> Any:
        data = json.dumps(body).encode() if method != "GET" else None
        request = urllib.request.Request(f"{self.base_url}/_{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def person(self, name: str = "小美", **more: Any) -> dict[str, Any]:
        person = self.script("POST", "/people", name=name, key=uuid.uuid4().hex, **more)
        return dict(self.script("GET", f"/people/{person['id']}"))

    def phone_of(self, name: str = "小美", **more: Any) -> Phone:
        return Phone(self, self.person(name, **more))

    def act(self, person: dict[str, Any], act: str, **more: Any) -> dict[str, Any]:
        return dict(
            self.script("POST", f"/people/{person['id']}/mini/{act}", **{"app_id": self.app_id, **more})
        )

    def unionid(self, person: dict[str, Any]) -> str:
        return str(person["unionids"][self.app_id])

    def fault(self, kind: str, path: str, **more: Any) -> None:
        self.script("POST", "/faults", target="calls", kind=kind, path=path, **more)

    def texts(self, phone: str) -> list[str]:
        return [text["text"] for text in self.script("GET", f"/texts?phone={phone}")["texts"]]


def codes(answer: Any) -> tuple[int, str]:
    """What a refusal says to programs."""
    return answer.status_code, answer.data["code"]
