"""Mini-program login and phone: official pages "code2Session", "getPhoneNumber", "checkSessionKey" and
"checkEncryptedData"."""

import hashlib
import hmac
from typing import Any

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.apis.token import check_secret
from sandbox.errors import WeChatRefusal
from sandbox.identity import openid_of
from sandbox.mini import SEALED_LIFE_S, describe_phone, redeem_login_code, redeem_phone_code


def exchange_login(call: Call) -> Answer:
    """Login code for openid and session key; takes no token. No errcode on success."""
    account = check_secret(call, call.query.get("appid"), call.query.get("secret"))
    if call.query.get("grant_type") != "authorization_code":
        raise WeChatRefusal(40002)
    code = call.query.get("js_code")
    if not code:
        raise WeChatRefusal(41008)
    person, session_key = redeem_login_code(call.world, account, code)
    call.summary = person.name
    answer = {"openid": openid_of(person.key, account.app_id), "session_key": session_key}
    unionid = call.world.unionid(person, account)
    return {**answer, "unionid": unionid} if unionid else answer


def get_phone(call: Call) -> Answer:
    """Phone code for the number; with `openid` the code must be hers."""
    body = call.json()
    openid = body.get("openid")
    if openid is not None and not isinstance(openid, str):
        raise WeChatRefusal(47001, "openid")
    person, code = redeem_phone_code(call.world, call.account, body.get("code"), openid)
    call.summary = person.name
    told = describe_phone(call.world, call.app_id, code.phone, code.country_code, call.world.now())
    return {**OK, "phone_info": told}


def check_session(call: Call) -> Answer:
    """Is this still her session key? It is proved by HMAC-SHA256 of the empty text, not sent: 87009."""
    if call.query.get("sig_method") != "hmac_sha256":
        raise WeChatRefusal(40097, "sig_method")
    person = call.world.person_by_openid(call.account.app_id, call.query.get("openid"))
    if person is None:
        raise WeChatRefusal(40003)
    call.summary = person.name
    key = call.world.tie(person, call.account.app_id).mini.session_key
    proof = hmac.new(key.encode(), b"", hashlib.sha256).hexdigest()
    if not key or not hmac.compare_digest(proof.encode(), call.query.get("signature", "").encode()):
        raise WeChatRefusal(87009)
    return OK


def check_sealed(call: Call) -> Answer:
    """Did a phone get encryptedData with this SHA-256 in the last three days? "vaild" is the page's word."""
    digest = call.json().get("encrypted_msg_hash")
    if not isinstance(digest, str) or not digest:
        raise WeChatRefusal(40097, "encrypted_msg_hash")
    found = call.world.sealed.get(digest)
    is_ours = found is not None and found.app_id == call.account.app_id
    if found is None or not is_ours or found.created_at < call.world.now() - SEALED_LIFE_S:
        return {**OK, "vaild": False, "create_time": 0}
    result: dict[str, Any] = {**OK, "vaild": True, "create_time": int(found.created_at)}
    return result


ENDPOINTS = [
    Endpoint("/sns/jscode2session", exchange_login, "GET", takes_token=False),
    Endpoint("/wxa/business/getuserphonenumber", get_phone, "POST", is_mini_only=True),
    Endpoint("/wxa/checksession", check_session, "GET", is_mini_only=True),
    Endpoint("/wxa/business/checkencryptedmsg", check_sealed, "POST", is_mini_only=True),
]
