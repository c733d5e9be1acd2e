"""Calls of mini-programs, where wechatpy 1.8.18 has none or an old form."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from wechatpy.client.api import WeChatWxa

from wechat.client.calls import BinaryAnswer
from wechat.client.errors import UnreadableAnswer

PICTURE_PATH = "wxa/getwxacodeunlimit"


class GatewayWxa(WeChatWxa):  # type: ignore[misc]  # wechatpy ships no types
    """wechatpy's mini-program calls and those it lacks. Logging in takes no access token."""

    def fetch_phone(self, code: str, openid: str | None = None) -> dict[str, Any]:
        """Official page "getPhoneNumber". With `openid`, WeChat checks that code and person belong
        together."""
        body = {"code": code} if openid is None else {"code": code, "openid": openid}
        phone: dict[str, Any] = self._post(
            "wxa/business/getuserphonenumber",
            data=body,
            result_processor=lambda answer: dict(answer["phone_info"]),
        )
        return phone

    def check_session(self, openid: str, session_key: str) -> dict[str, Any]:
        """Official page "checkSessionKey": the key itself is not sent, only what it signs."""
        proof = hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest()
        answer: dict[str, Any] = self._get(
            "wxa/checksession",
            params={"openid": openid, "signature": proof, "sig_method": "hmac_sha256"},
        )
        return answer

    def check_encrypted(self, encrypted_data: str) -> bool:
        """Official page "checkEncryptedData": did WeChat itself make this, in the last three days?"""
        digest = hashlib.sha256(encrypted_data.encode()).hexdigest()
        is_valid: bool = self._post(
            "wxa/business/checkencryptedmsg",
            data={"encrypted_msg_hash": digest},
            result_processor=lambda answer: answer["vaild"] is True,  # so spelt on the page
        )
        return is_valid

    def draw_unlimited(self, scene: str, **options: Any) -> bytes:
        """Official page "getUnlimitedQRCode": the picture. wechatpy cannot say `check_path` or
        `env_version` and lets an answer that is no picture pass."""
        answer = self._post(PICTURE_PATH, data={"scene": scene, **options})
        if not isinstance(answer, BinaryAnswer):
            raise UnreadableAnswer(f"/{PICTURE_PATH}", errmsg="not a picture")
        return answer.content

    def send_subscription(
        self, openid: str, template_id: str, fields: Mapping[str, str], *, page: str, version: str
    ) -> dict[str, Any]:
        """Official page "send subscribe message": sometimes with `msgid`. wechatpy cannot say which version of the
        mini-program opens."""
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "data": {name: {"value": value} for name, value in fields.items()},
            "miniprogram_state": version,
            "lang": "zh_CN",
        }
        if page:
            body["page"] = page
        answer: dict[str, Any] = self._post("cgi-bin/message/subscribe/send", data=body)
        return answer

    def list_templates(self) -> dict[str, Any]:
        """Official page "get the account's templates": `{"data": [{"priTmplId", "title", "content", …}]}`."""
        answer: dict[str, Any] = self._get("wxaapi/newtmpl/gettemplate")
        return answer
