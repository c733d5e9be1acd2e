"""A provider of text messages: Tencent Cloud's interface of 2021-01-11, as far as we call it.

Every action is a `POST` to one address, named by `X-TC-Action` and signed by TC3-HMAC-SHA256 over method, host, content
type and body. Always HTTP 200 with `{"Response": {…}}`, `Error` in it for what was refused as a whole; what is refused
for one number stands in `SendStatusSet`.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.errors import WeChatRefusal
from sandbox.faults import DroppedConnection, answer_of, draw_fault, pause
from sandbox.models import CallRecord, Fault, SmsAccount, TextMessage
from sandbox.pushes import Postman
from sandbox.smsreports import report_receipt
from sandbox.state import World

PATH = "/sms/"
SKEW_S = 300
KEPT = 500
LONGEST = 500  # characters of one message
WHOLE, PART = 70, 67
PULLED = 100
PHONE = re.compile(r"\+861[3-9][0-9]{9}")
GAP = re.compile(r"\{(\d+)\}")
CREDENTIAL = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/([0-9-]{10})/sms/tc3_request, SignedHeaders=content-type;host, "
    r"Signature=([0-9a-f]{64})"
)
# The faults that WeChat's side answers with an errcode, in this provider's words.
FAULTS = {
    -1: "InternalError.Timeout",
    40001: "AuthFailure.SignatureFailure",
    45009: "LimitExceeded.AppDailyLimit",
    45011: "RequestLimitExceeded",
}


class Refused(Exception):
    """The provider says no to the whole request."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class NumberRefused(Exception):
    """The provider says no to one number."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def check_signature(world: World, request: Request, raw: bytes) -> SmsAccount:
    """Return whose request this is."""
    found = CREDENTIAL.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise Refused("AuthFailure.SignatureFailure")
    account = world.sms_keys.get(found[1])
    if account is None:
        raise Refused("AuthFailure.SecretIdNotFound")
    stamp = request.headers.get("x-tc-timestamp", "")
    if not stamp.isdigit() or abs(int(stamp) - time.time()) > SKEW_S:
        raise Refused("AuthFailure.SignatureExpire")
    day = datetime.fromtimestamp(int(stamp), UTC).date().isoformat()
    if found[2] != day:
        raise Refused("AuthFailure.SignatureFailure")
    head = f"content-type:{request.headers.get('content-type', '')}\nhost:{request.headers.get('host', '')}\n"
    body_hash = hashlib.sha256(raw).hexdigest()
    canonical = f"POST\n/\n\n{head}\ncontent-type;host\n{body_hash}"
    text = (
        f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    )
    key = ("TC3" + account.key_secret).encode()
    for part in (day, "sms", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(proof, found[3]):
        raise Refused("AuthFailure.SignatureFailure")
    return account


def write(account: SmsAccount, body: dict[str, Any]) -> str:
    """Return the whole text, the sign in front as phones show it."""
    approved = {name for sign_id, name in account.signs.items() if sign_id not in account.rejected}
    if body.get("SignName") not in approved:
        raise NumberRefused("FailedOperation.SignatureIncorrectOrUnapproved")
    template_id = str(body.get("TemplateId"))
    template = account.templates.get(template_id)
    if template is None or template_id in account.rejected:
        raise NumberRefused("FailedOperation.TemplateUnapprovedOrNotExist")
    params = body.get("TemplateParamSet") or []
    if not isinstance(params, list) or len(params) != len(set(GAP.findall(template))):
        raise NumberRefused("FailedOperation.TemplateParamSetNotMatchApprovedTemplate")
    if any(not isinstance(param, str) or len(param) > account.param_limit for param in params):
        raise NumberRefused("InvalidParameterValue.TemplateParameterLengthLimit")
    if any("http" in param or "www." in param for param in params):
        raise NumberRefused("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter")
    text = f"【{body['SignName']}】" + GAP.sub(lambda gap: str(params[int(gap[1]) - 1]), template)
    if len(text) > LONGEST:
        raise NumberRefused("InvalidParameterValue.ContentLengthLimit")
    return text


def deliver(world: World, account: SmsAccount, phone: Any, body: dict[str, Any]) -> TextMessage:
    """Check everything about one number and put the text onto the phone."""
    if not isinstance(phone, str) or not PHONE.fullmatch(phone):
        raise NumberRefused("InvalidParameterValue.IncorrectPhoneNumber")
    digits = phone.removeprefix("+86")
    if digits in account.blacklist:
        raise NumberRefused("FailedOperation.PhoneNumberInBlacklist")
    text = write(account, body)
    if account.pace_s and any(
        one.phone == digits and world.now() - one.at < account.pace_s for one in world.texts.values()
    ):
        raise NumberRefused("LimitExceeded.PhoneNumberThirtySecondLimit")
    fee = 1 if len(text) <= WHOLE else -(-len(text) // PART)
    if account.balance is not None and account.balance < fee:
        raise NumberRefused("FailedOperation.InsufficientBalanceInSmsPackage")
    if account.balance is not None:
        account.balance -= fee
    message = TextMessage(
        biz_id=f"2640:{int(world.now() * 1000)}{secrets.randbelow(10**12):012d}",
        phone=digits,
        sign=str(body["SignName"]),
        text=text,
        at=world.now(),
        out_id=str(body.get("SessionContext", ""))[:512],
        fee=fee,
    )
    world.texts[message.biz_id] = message
    for old in list(world.texts)[:-KEPT]:
        del world.texts[old]
    world.touch()
    world.hub.publish("text", vars(message))
    return message


def send(world: World, account: SmsAccount, body: dict[str, Any]) -> tuple[dict[str, Any], list[TextMessage]]:
    """Answer `SendSms`; the messages that were taken."""
    phones = body.get("PhoneNumberSet")
    if not isinstance(phones, list) or not phones:
        raise Refused("MissingParameter.EmptyPhoneNumberSet")
    if str(body.get("SmsSdkAppId")) != account.app_id:
        raise Refused("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
    statuses, taken = [], []
    for phone in phones[:200]:
        status = {
            "SerialNo": "", "PhoneNumber": phone, "Fee": 0, "IsoCode": "CN",
            "SessionContext": str(body.get("SessionContext", "")), "Code": "Ok", "Message": "send success",
        }  # fmt: skip
        try:
            message = deliver(world, account, phone, body)
        except NumberRefused as refusal:
            status |= {"Code": refusal.code, "Message": "refused"}
        else:
            status |= {"SerialNo": message.biz_id, "Fee": message.fee}
            taken.append(message)
        statuses.append(status)
    return {"SendStatusSet": statuses}, taken


def describe_templates(world: World, account: SmsAccount, body: dict[str, Any]) -> dict[str, Any]:
    """Answer `DescribeSmsTemplateList`."""
    asked = [str(number) for number in body.get("TemplateIdSet") or account.templates]
    return {
        "DescribeTemplateStatusSet": [
            {
                "TemplateId": int(one), "International": 0, "StatusCode": _status(account, one),
                "ReviewReply": _reply(account, one), "TemplateName": one, "CreateTime": 0,
                "TemplateContent": account.templates[one],
            }
            for one in asked
            if one in account.templates
        ]
    }  # fmt: skip


def describe_signs(world: World, account: SmsAccount, body: dict[str, Any]) -> dict[str, Any]:
    """Answer `DescribeSmsSignList`."""
    asked = [str(number) for number in body.get("SignIdSet") or account.signs]
    return {
        "DescribeSignListStatusSet": [
            {
                "SignId": int(one), "International": 0, "StatusCode": _status(account, one),
                "ReviewReply": _reply(account, one), "SignName": account.signs[one], "CreateTime": 0,
            }
            for one in asked
            if one in account.signs
        ]
    }  # fmt: skip


def _status(account: SmsAccount, one: str) -> int:
    return -1 if one in account.rejected else 0


def _reply(account: SmsAccount, one: str) -> str:
    return "内容与用途不符" if one in account.rejected else "通过"


def pull_receipts(world: World, account: SmsAccount, body: dict[str, Any]) -> dict[str, Any]:
    """Answer `PullSmsSendStatus`: each once."""
    some, account.receipts = account.receipts[:PULLED], account.receipts[PULLED:]
    world.touch()
    return {"PullSmsSendStatusSet": some}


def pull_replies(world: World, account: SmsAccount, body: dict[str, Any]) -> dict[str, Any]:
    """Answer `PullSmsReplyStatus`: each once."""
    some, account.answers = account.answers[:PULLED], account.answers[PULLED:]
    world.touch()
    return {"PullSmsReplyStatusSet": some}


def _of_number(told: list[dict[str, Any]], body: dict[str, Any], when: str) -> list[dict[str, Any]]:
    """What was reported of a number since `BeginTime`; asking takes nothing away."""
    begin, limit = body.get("BeginTime"), body.get("Limit")
    if not isinstance(begin, int) or not isinstance(limit, int) or body.get("Offset") != 0:
        raise Refused("InvalidParameterValue.BeginTimeVerifyFail")
    phone = body.get("PhoneNumber")
    return [one for one in told if one["PhoneNumber"] == phone and one[when] >= begin][: min(limit, PULLED)]


def recall_receipts(world: World, account: SmsAccount, body: dict[str, Any]) -> dict[str, Any]:
    """Answer `PullSmsSendStatusByPhoneNumber`."""
    return {"PullSmsSendStatusSet": _of_number(account.told_receipts, body, "UserReceiveTime")}


def recall_replies(world: World, account: SmsAccount, body: dict[str, Any]) -> dict[str, Any]:
    """Answer `PullSmsReplyStatusByPhoneNumber`."""
    return {"PullSmsReplyStatusSet": _of_number(account.told_answers, body, "ReplyTime")}


QUESTIONS: dict[str, Callable[[World, SmsAccount, dict[str, Any]], dict[str, Any]]] = {
    "DescribeSmsTemplateList": describe_templates,
    "DescribeSmsSignList": describe_signs,
    "PullSmsSendStatus": pull_receipts,
    "PullSmsReplyStatus": pull_replies,
    "PullSmsSendStatusByPhoneNumber": recall_receipts,
    "PullSmsReplyStatusByPhoneNumber": recall_replies,
}


def respond(values: dict[str, Any]) -> JSONResponse:
    return JSONResponse({"Response": {**values, "RequestId": secrets.token_hex(16)}})


def act(world: World, request: Request, raw: bytes) -> tuple[SmsAccount, dict[str, Any], list[TextMessage]]:
    """Do what is asked; the messages that were taken by it."""
    account = check_signature(world, request, raw)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused("FailedOperation.JsonParseFail") from error
    if not isinstance(body, dict):
        raise Refused("FailedOperation.JsonParseFail")
    action = request.headers.get("x-tc-action", "")
    if action == "SendSms":
        return account, *send(world, account, body)
    if action not in QUESTIONS:
        raise Refused("InvalidAction")
    return account, QUESTIONS[action](world, account, body), []


async def answer(
    world: World, postman: Postman, request: Request, raw: bytes, fault: Fault | None
) -> Response:
    """Answer one request, or do what the fault says."""
    try:
        if fault is not None:
            if fault.delay_s:
                await pause(world, fault.delay_s)
            instead = answer_of(fault)
            if instead is not None:
                return instead
        account, values, taken = act(world, request, raw)
    except (Refused, WeChatRefusal) as refusal:
        code = refusal.code if isinstance(refusal, Refused) else FAULTS[refusal.errcode]
        return respond({"Error": {"Code": code, "Message": "refused"}})
    kind = "" if fault is None else fault.kind
    for message in taken:
        is_lost = kind == "undelivered" or message.phone in account.dead
        report_receipt(world, postman, account, message, is_delivered=not is_lost)
    return DroppedConnection() if kind == "accept_then_drop" else respond(values)


def route(world: World, postman: Postman) -> Route:
    """Return the one route of the provider."""

    async def view(request: Request) -> Response:
        started = time.perf_counter()
        raw = await request.body()
        found = re.search(r"Credential=([^/]+)/", request.headers.get("authorization", ""))
        key_id = found[1] if found else ""
        path = PATH + request.headers.get("x-tc-action", "")
        fault = draw_fault(world, "calls", path, key_id)
        response = await answer(world, postman, request, raw, fault)
        body = bytes(getattr(response, "body", b""))
        is_ok = response.status_code == 200 and b'"Error"' not in body and (
            b'"SendStatusSet"' not in body or b'"Code":"Ok"' in body
        )  # fmt: skip
        world.log_call(
            CallRecord(
                id=world.serial("call"),
                at=world.now(),
                app_id=key_id if key_id in world.sms_keys else "",
                method="POST",
                path=path,
                status=0 if isinstance(response, DroppedConnection) else response.status_code,
                errcode=0 if is_ok else 1,
                errmsg="" if is_ok else "refused",
                latency_ms=round((time.perf_counter() - started) * 1000),
                fault=fault.kind if fault else "",
                summary="",
            )
        )
        world.touch()
        return response

    return Route(PATH, view, methods=["POST"])
