"""A key at the provider that the sandbox plays, and the rows that staff would have made for it."""

import itertools
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

from django.apps import apps

SECRET = "planted-secret"
APP_ID = "1400009001"
SIGN, SIGN_ID = "素衣", "501"
CALLBACK_KEY = "planted-callback-key-0001"
CODE_TEMPLATE = {
    "code": "1001",
    "title": "验证码",
    "purpose": "code",
    "text": "您的验证码是 {1}，5 分钟内有效。",
}
NOTICE_TEMPLATE = {
    "code": "1002",
    "title": "券到期提醒",
    "purpose": "notice",
    "text": "您有{1}张券{2}到期，请到店使用。",
    "gap_limit": 12,
}
MARKETING_TEMPLATE = {
    "code": "1003",
    "title": "上新",
    "purpose": "marketing",
    "text": "{1}新品到店。拒收请回复R",
    "gap_limit": 12,
}
# Nobody in this process has had the number; the provider that the sandbox plays lives as long at most.
_phones = itertools.count(10_000_000)
TEMPLATES = (CODE_TEMPLATE, NOTICE_TEMPLATE, MARKETING_TEMPLATE)


class Provider:
    """The scripting side of the provider."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.key_id = f"key-{uuid.uuid4().hex[:8]}"

    def set_up(self, **more: Any) -> None:
        """The key as it is at first, but for what is said."""
        values: dict[str, Any] = {
            "key_secret": SECRET,
            "app_id": APP_ID,
            "signs": {SIGN_ID: SIGN},
            "templates": {str(one["code"]): one["text"] for one in TEMPLATES},
        }
        self.script("PUT", f"/sms/{self.key_id}", **values | more)

    def script(self, method: str, path: str, /, **body: Any) -> Any:
        data = json.dumps(body).encode() if method != "GET" else None
        request = urllib.request.Request(f"{self.base_url}/_{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def texts(self, phone: str) -> list[str]:
        return [text["text"] for text in self.script("GET", f"/texts?phone={phone}")["texts"]]

    def arrived(self, phone: str, count: int) -> list[str]:
        """What lies on the phone once there is so much, or when it took too long."""
        wait_for(lambda: len(self.texts(phone)) >= count)
        return self.texts(phone)

    def reply(self, phone: str, text: str) -> None:
        self.script("POST", f"/sms/{self.key_id}/reply", phone=phone, text=text)

    def fault(self, kind: str, action: str = "SendSms", **more: Any) -> None:
        self.script(
            "POST", "/faults", target="calls", kind=kind, path=f"/sms/{action}", app_id=self.key_id, **more
        )


def wait_for(is_so: Callable[[], bool], *, within_s: float = 30) -> bool:
    """Whether it became so in time."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def use_provider(settings: Any, provider: Provider) -> None:
    """Our side of it."""
    settings.SMS_GATEWAY = "tencent"
    settings.SMS_ENDPOINT = f"{provider.base_url}/sms"
    settings.SMS_APP_ID = APP_ID
    settings.SMS_KEY_ID = provider.key_id
    settings.SMS_KEY_SECRET = SECRET
    settings.SMS_CALLBACK_KEY = CALLBACK_KEY
    settings.SMS_TIMEOUT_S = 30


def add_sign(name: str = SIGN, **more: Any) -> Any:
    values = {"provider_id": SIGN_ID, "is_default": True, "state": "approved"} | more
    return apps.get_model("sms", "SmsSign").objects.create(name=name, **values)


def add_template(**values: Any) -> Any:
    return apps.get_model("sms", "SmsTemplate").objects.create(**{"state": "approved"} | values)


def new_phone() -> str:
    return f"139{next(_phones):08d}"
