"""Tencent Cloud's text messages through its own SDK: it signs and packs, our transport carries.

Official pages "SendSms", "DescribeSmsTemplateList", "DescribeSmsSignList", "PullSmsSendStatus", "PullSmsReplyStatus", and the
latter two "ByPhoneNumber".
"""

import datetime as dt
import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from django.conf import settings
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from core import clock
from core.outside import refuse_open_transaction
from sms.contracts import ReceiptTold, ReplyTold, Review
from sms.gateways.base import Gateway, ProviderError, ReportKind, Sending, Verdict
from sms.gateways.tencent_codes import judge, name_of
from sms.gateways.tencent_transport import NoAnswer, NotReached, Transport

logger = logging.getLogger(__name__)

_COUNTRY: Final = "+86"
_AT_ONCE: Final = 100
_DOMESTIC: Final = 0
_STATES: Final[Mapping[int, Literal["pending", "approved", "rejected"]]] = {
    0: "approved",
    1: "pending",
    2: "pending",
    -1: "rejected",
}
# What the SDK makes of an answer that it cannot read.
_HTTP_TROUBLE: Final = "ServerNetworkError"
_PULL_CALLS: Final[Mapping[ReportKind, str]] = {
    "receipts": "PullSmsSendStatus",
    "replies": "PullSmsReplyStatus",
}
_RECALL_CALLS: Final[Mapping[ReportKind, str]] = {
    "receipts": "PullSmsSendStatusByPhoneNumber",
    "replies": "PullSmsReplyStatusByPhoneNumber",
}
_UNREADABLE: Final = frozenset({"JSONDecodeError", "KeyError", "TypeError", "AttributeError"})


@functools.lru_cache(maxsize=4)
def _client(endpoint: str, region: str, key_id: str, key_secret: str) -> Any:
    profile = ClientProfile(httpProfile=HttpProfile(endpoint=urlsplit(endpoint).netloc))
    client = SmsClient(Credential(key_id, key_secret), region, profile)
    client.request = Transport()
    return client


def _ask(call: str, request: Any, values: Mapping[str, Any]) -> Any:
    """What the SDK makes of the answer; without a request, the answer as it came."""
    refuse_open_transaction()
    client = _client(settings.SMS_ENDPOINT, settings.SMS_REGION, settings.SMS_KEY_ID, settings.SMS_KEY_SECRET)
    if request is None:
        return client.call(call, dict(values))
    request.from_json_string(json.dumps(values))
    return getattr(client, call)(request)


class TencentGateway(Gateway):
    """One request a text: of many at once, a time-out would leave all of them in doubt."""

    def send(self, sending: Sending) -> Verdict:
        text = sending.text
        try:
            answer = _ask(
                "SendSms",
                models.SendSmsRequest(),
                {
                    "PhoneNumberSet": [_COUNTRY + sending.phone],
                    "SmsSdkAppId": settings.SMS_APP_ID,
                    "SignName": text.sign,
                    "TemplateId": text.code,
                    "TemplateParamSet": list(text.params),
                    "SessionContext": sending.reference,
                },
            )
        except NotReached:
            return Verdict("later", "no_connection", scope="lane")
        except NoAnswer as error:
            return Verdict("unclear", error.code)
        except TencentCloudSDKException as error:
            return _refusal(error)
        return _verdict(answer)

    def review_templates(self, codes: Sequence[str]) -> Mapping[str, Review]:
        found: dict[str, Review] = {}
        for one in _reviews(
            "DescribeSmsTemplateList", models.DescribeSmsTemplateListRequest, "TemplateIdSet", codes
        ):
            found[str(one.TemplateId)] = _review(one, one.TemplateContent)
        return found

    def review_signs(self, provider_ids: Sequence[str]) -> Mapping[str, Review]:
        found: dict[str, Review] = {}
        for one in _reviews(
            "DescribeSmsSignList", models.DescribeSmsSignListRequest, "SignIdSet", provider_ids
        ):
            found[str(one.SignId)] = _review(one, one.SignName)
        return found

    def pull(self, kind: ReportKind) -> str:
        return _raw(_PULL_CALLS[kind], _pull_values())

    def recall(self, kind: ReportKind, phone: str, since: dt.datetime) -> str:
        whose = {"PhoneNumber": _COUNTRY + phone, "BeginTime": int(since.timestamp()), "Offset": 0}
        return _raw(_RECALL_CALLS[kind], _pull_values() | whose)

    def read_receipts(self, body: str) -> Sequence[ReceiptTold]:
        return [
            ReceiptTold(
                message_id=str(one.get("SerialNo") or ""),
                is_delivered=one.get("ReportStatus") == "SUCCESS",
                code=str(one.get("Description") or "")[:40],
                at=_moment(one.get("UserReceiveTime")),
                reference=str(one.get("SessionContext") or "")[:120],
            )
            for one in _listed(body, "PullSmsSendStatusSet")
        ]

    def read_replies(self, body: str) -> Sequence[ReplyTold]:
        return [
            ReplyTold(
                str(one.get("SubscriberNumber") or ""),
                str(one.get("ReplyContent") or ""),
                _moment(one.get("ReplyTime")),
            )
            for one in _listed(body, "PullSmsReplyStatusSet")
        ]


def _raw(call: str, values: Mapping[str, Any]) -> str:
    """The answer as it came. Raises ProviderError."""
    body = _question(call, None, values)
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)


def _listed(body: str, name: str) -> list[Mapping[str, Any]]:
    """The list of that name in the provider's answer. Raises ProviderError for what is none."""
    try:
        found = json.loads(body)["Response"][name]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProviderError("unreadable", is_away=False) from error
    if not isinstance(found, list):
        raise ProviderError("unreadable", is_away=False)
    return [one for one in found if isinstance(one, dict)]


def _verdict(answer: Any) -> Verdict:
    statuses: Any = answer.SendStatusSet or []
    if len(statuses) != 1 or not isinstance(statuses[0].Code, str):
        return Verdict("unclear", "unreadable")
    [status] = statuses
    if status.Code != "Ok":
        return judge(status.Code, at=clock.now())
    fee = status.Fee if isinstance(status.Fee, int) and 0 < status.Fee < 100 else 0
    return Verdict("sent", provider_ref=str(status.SerialNo or "")[:80], segment_count=fee)


def _refusal(error: TencentCloudSDKException) -> Verdict:
    code = str(error.code or "")
    if code == _HTTP_TROUBLE:
        return Verdict("unclear", "http_trouble", scope="lane")
    if code in _UNREADABLE:
        return Verdict("unclear", "unreadable")
    return judge(code, at=clock.now())


def _question(call: str, request: Any, values: Mapping[str, Any]) -> Any:
    try:
        return _ask(call, request, values)
    except (NotReached, NoAnswer) as error:
        is_unclear = isinstance(error, NoAnswer)
        raise ProviderError(str(error.code), is_away=True, is_unclear=is_unclear) from error
    except TencentCloudSDKException as error:
        code = str(error.code or "")
        is_unclear = code == _HTTP_TROUBLE or code in _UNREADABLE
        is_away = is_unclear or code.startswith(("Internal", "RequestLimit"))
        raise ProviderError(name_of(code), is_away=is_away, is_unclear=is_unclear) from error


def _reviews(call: str, request: Callable[[], Any], ids_name: str, ids: Sequence[str]) -> list[Any]:
    """Asked for by their numbers, a hundred at a time; what is no number of the provider's is not there."""
    numbers = [int(one) for one in ids if one.isascii() and one.isdigit()]
    found: list[Any] = []
    for start in range(0, len(numbers), _AT_ONCE):
        values = {ids_name: numbers[start : start + _AT_ONCE], "International": _DOMESTIC}
        answer = _question(call, request(), values)
        found += answer.DescribeTemplateStatusSet if "Template" in call else answer.DescribeSignListStatusSet
    return found


def _review(one: Any, text: Any) -> Review:
    return Review(_STATES.get(one.StatusCode, "pending"), str(one.ReviewReply or "")[:200], str(text or ""))


def _pull_values() -> dict[str, Any]:
    return {"Limit": _AT_ONCE, "SmsSdkAppId": settings.SMS_APP_ID}


def _moment(seconds: Any) -> dt.datetime:
    """An instant that the provider tells; now where it tells none that can be."""
    now = clock.now()
    if not isinstance(seconds, int) or not 0 < seconds < now.timestamp() + 86_400:
        return now
    return clock.from_unix(seconds)
