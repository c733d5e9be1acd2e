"""The provider of text messages that the sandbox plays."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.world import Driver

KEY, SECRET, APP = "key-1", "sms-secret", "1400000001"
GOOD = {
    "PhoneNumberSet": ["+8613800138000"],
    "SmsSdkAppId": APP,
    "SignName": "素衣",
    "TemplateId": "1001",
    "TemplateParamSet": ["402816"],
    "SessionContext": "r1",
}
WORLD: dict[str, Any] = {
    "key_secret": SECRET,
    "app_id": APP,
    "signs": {"501": "素衣"},
    "templates": {"1001": "验证码 {1}"},
}


@pytest.fixture
def sms(driver: Driver) -> Driver:
    driver.script("PUT", f"/sms/{KEY}", WORLD)
    return driver


def ask(
    sms: Driver,
    action: str = "SendSms",
    body: Any = GOOD,
    *,
    secret: str = SECRET,
    stamp: int | None = None,
    key: str = KEY,
) -> dict[str, Any]:
    """Signed as the provider's documents say, written down independently of its SDK."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    moment = int(time.time()) if stamp is None else stamp
    day = datetime.fromtimestamp(moment, UTC).date().isoformat()
    host = sms.http.base_url.netloc.decode()
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{hashlib.sha256(raw).hexdigest()}"
    scope = f"{day}/sms/tc3_request"
    text = f"TC3-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signing = ("TC3" + secret).encode()
    for part in (day, "sms", "tc3_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Host": host,
        "X-TC-Action": action,
        "X-TC-Timestamp": str(moment),
        "Authorization": f"TC3-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=content-type;host, Signature={proof}",
    }
    answer = sms.http.post("/sms/", content=raw, headers=headers)
    assert answer.status_code == 200
    return dict(answer.json()["Response"])


def code_of(answer: dict[str, Any]) -> str:
    return str(answer["Error"]["Code"] if "Error" in answer else answer["SendStatusSet"][0]["Code"])


def test_a_text_arrives_on_the_phone_of_whoever_has_the_number(sms: Driver) -> None:
    person = sms.person(phone="13800138000")
    [status] = ask(sms)["SendStatusSet"]
    assert (status["Code"], status["Fee"], status["SessionContext"]) == ("Ok", 1, "r1")
    texts = sms.script("GET", f"/people/{person['id']}/texts")["texts"]
    assert [(text["text"], text["biz_id"]) for text in texts] == [
        ("【素衣】验证码 402816", status["SerialNo"])
    ]
    assert sms.script("GET", "/texts?phone=13900139000") == {"texts": []}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PhoneNumberSet": ["+8612345"]}, "InvalidParameterValue.IncorrectPhoneNumber"),
        ({"PhoneNumberSet": [13800138000]}, "InvalidParameterValue.IncorrectPhoneNumber"),
        ({"PhoneNumberSet": []}, "MissingParameter.EmptyPhoneNumberSet"),
        ({"SignName": "别家"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
        ({"TemplateId": "1002"}, "FailedOperation.TemplateUnapprovedOrNotExist"),
        ({"TemplateParamSet": []}, "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        ({"TemplateParamSet": ["1", "2"]}, "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        ({"TemplateParamSet": ["长" * 21]}, "InvalidParameterValue.TemplateParameterLengthLimit"),
        ({"TemplateParamSet": ["www.x.cn"]}, "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"),
        ({"SmsSdkAppId": "1"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
    ],
)
def test_what_was_not_approved_is_refused(sms: Driver, changes: dict[str, Any], code: str) -> None:
    assert code_of(ask(sms, body={**GOOD, **changes})) == code
    assert sms.script("GET", "/texts")["texts"] == []


def test_only_signed_requests_of_a_known_key_count(sms: Driver) -> None:
    assert code_of(ask(sms, secret="wrong")) == "AuthFailure.SignatureFailure"
    assert code_of(ask(sms, key="nobody")) == "AuthFailure.SecretIdNotFound"
    assert code_of(ask(sms, stamp=int(time.time()) - 301)) == "AuthFailure.SignatureExpire"
    assert code_of(ask(sms, body=b"[]")) == code_of(ask(sms, body=b"{")) == "FailedOperation.JsonParseFail"
    assert code_of(ask(sms, "SendFax")) == "InvalidAction"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"balance": 1}, "FailedOperation.InsufficientBalanceInSmsPackage"),
        ({"pace_s": 30}, "LimitExceeded.PhoneNumberThirtySecondLimit"),
    ],
)
def test_the_second_text_may_be_one_too_many(sms: Driver, changes: dict[str, Any], code: str) -> None:
    sms.script("PUT", f"/sms/{KEY}", {**WORLD, **changes})
    assert [code_of(ask(sms)), code_of(ask(sms))] == ["Ok", code]


def test_numbers_on_its_list_get_nothing_and_a_long_text_counts_more(sms: Driver) -> None:
    more = {
        "blacklist": ["13800138000"],
        "templates": {"1001": "长" * 70 + "{1}"},
        "param_limit": 6,
    }
    sms.script("PUT", f"/sms/{KEY}", {**WORLD, **more})
    assert code_of(ask(sms)) == "FailedOperation.PhoneNumberInBlacklist"
    [status] = ask(sms, body={**GOOD, "PhoneNumberSet": ["+8613900139000"]})["SendStatusSet"]
    assert status["Fee"] == 2


def test_reviews_receipts_and_replies_are_asked_for(sms: Driver) -> None:
    sms.script("PUT", f"/sms/{KEY}", {**WORLD, "rejected": ["501"], "dead": ["13900139000"]})
    [sign] = ask(sms, "DescribeSmsSignList", {"SignIdSet": [501]})["DescribeSignListStatusSet"]
    assert (sign["SignName"], sign["StatusCode"]) == ("素衣", -1)
    sms.script("PUT", f"/sms/{KEY}", {**WORLD, "dead": ["13900139000"]})
    templates = ask(sms, "DescribeSmsTemplateList", {"TemplateIdSet": [1001, 7]})["DescribeTemplateStatusSet"]
    assert [(one["TemplateId"], one["StatusCode"]) for one in templates] == [(1001, 0)]
    ask(sms, body={**GOOD, "PhoneNumberSet": ["+8613800138000", "+8613900139000"]})
    told = ask(sms, "PullSmsSendStatus", {"Limit": 100})["PullSmsSendStatusSet"]
    assert [(one["ReportStatus"], one["SessionContext"]) for one in told] == [
        ("SUCCESS", "r1"),
        ("FAIL", "r1"),
    ]
    assert ask(sms, "PullSmsSendStatus", {"Limit": 100})["PullSmsSendStatusSet"] == []
    sms.script("POST", f"/sms/{KEY}/reply", {"phone": "13800138000", "text": "R"})
    [reply] = ask(sms, "PullSmsReplyStatus", {"Limit": 100})["PullSmsReplyStatusSet"]
    assert (reply["SubscriberNumber"], reply["ReplyContent"]) == ("13800138000", "R")
    assert code_of(ask(sms)) == "FailedOperation.PhoneNumberInBlacklist"


def test_faults_strike_here_too_and_calls_are_logged_without_content(sms: Driver) -> None:
    sms.script(
        "POST", "/faults", {"target": "calls", "kind": "too_often", "path": "/sms/SendSms", "times": 1}
    )
    assert (code_of(ask(sms)), code_of(ask(sms))) == ("RequestLimitExceeded", "Ok")
    calls = sms.script("GET", "/calls")["calls"]
    assert [(call["path"], call["errcode"], call["fault"]) for call in calls] == [
        ("/sms/SendSms", 1, "too_often"),
        ("/sms/SendSms", 0, ""),
    ]
    assert "402816" not in str(calls)


@pytest.mark.parametrize(
    "changes",
    [
        {"key_secret": ""},
        {"app_id": ""},
        {"signs": ["素衣"]},
        {"templates": {"T": "x"}},
        {"balance": -1},
        {"blacklist": "x"},
    ],
)
def test_a_key_that_cannot_be_is_refused(sms: Driver, changes: dict[str, Any]) -> None:
    assert sms.script("PUT", "/sms/k", {**WORLD, **changes}, status=400)["error"] == "bad_field"
