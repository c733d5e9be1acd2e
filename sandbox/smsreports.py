"""What the provider of text messages tells afterwards: receipts and replies, pushed to the key's callback or kept until
they are pulled."""

import asyncio
from datetime import datetime
from typing import Any

import httpx

from sandbox.faults import draw_fault, pause
from sandbox.models import SmsAccount, TextMessage
from sandbox.pushes import Postman
from sandbox.state import BEIJING, World

TRIES = 3
PAUSE_S = 0.5
KEPT = 1_000
# The name under which a fault strikes these pushes.
RECEIPT, REPLY = "sms_receipt", "sms_reply"


def report_receipt(
    world: World, postman: Postman, account: SmsAccount, message: TextMessage, *, is_delivered: bool
) -> None:
    """Say whether the text arrived."""
    status = "SUCCESS" if is_delivered else "FAIL"
    code = "DELIVRD" if is_delivered else "MK:0001"
    line = {
        "UserReceiveTime": int(world.now()), "CountryCode": "86", "SubscriberNumber": message.phone,
        "PhoneNumber": f"+86{message.phone}", "SerialNo": message.biz_id, "ReportStatus": status,
        "Description": code, "SessionContext": message.out_id,
    }  # fmt: skip
    _keep(account.told_receipts, line)
    if account.callback_url:
        told = {
            "user_receive_time": datetime.fromtimestamp(world.now(), BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
            "nationcode": "86", "mobile": message.phone, "report_status": status, "errmsg": code,
            "description": "用户短信送达成功" if is_delivered else "用户未收到短信", "sid": message.biz_id,
        }  # fmt: skip
        _push(world, postman, account, RECEIPT, [told])
        return
    account.receipts.append(line)


def report_reply(world: World, postman: Postman, account: SmsAccount, phone: str, text: str) -> None:
    """Say what somebody answered; who answers the words of refusal goes onto the provider's own list."""
    if text.strip().upper() in {"R", "T", "TD"} and phone not in account.blacklist:
        account.blacklist.append(phone)
    sign = next(iter(account.signs.values()), "")
    line = {
        "ExtendCode": "", "CountryCode": "86", "PhoneNumber": f"+86{phone}", "SignName": sign,
        "ReplyContent": text, "ReplyTime": int(world.now()), "SubscriberNumber": phone,
    }  # fmt: skip
    _keep(account.told_answers, line)
    if account.callback_url:
        told = {
            "extend": "", "mobile": phone, "nationcode": "86", "sign": sign, "text": text, "time": int(world.now()),
        }  # fmt: skip
        _push(world, postman, account, REPLY, told)
        return
    account.answers.append(line)


def _keep(told: list[dict[str, Any]], line: dict[str, Any]) -> None:
    told.append(line)
    del told[:-KEPT]


def _push(world: World, postman: Postman, account: SmsAccount, event: str, body: Any) -> None:
    postman.run(_carry(world, postman, account, event, body))


async def _carry(world: World, postman: Postman, account: SmsAccount, event: str, body: Any) -> None:
    fault = draw_fault(world, "pushes", event, account.key_id)
    if fault is not None and fault.delay_s:
        await pause(world, fault.delay_s)
    times = 2 if fault is not None and fault.kind == "duplicate" else 1
    for _time in range(times):
        for _try in range(TRIES):
            try:
                answer = await postman.client.post(account.callback_url, json=body)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                break
            await asyncio.sleep(PAUSE_S)
