"""What the provider's codes mean. Official page "error codes of the SMS interfaces"; the names are the SDK's own."""

import datetime as dt
import re
from typing import Final

from tencentcloud.sms.v20210111 import errorcodes as theirs

from core import clock
from sms.gateways.base import Verdict

PREFIX: Final = "provider."
# Numbers and addresses are not part of a code.
_CODE_SIGNS: Final = re.compile(r"[^A-Za-z.]")
_HALF_MINUTE: Final = 31
_HOUR: Final = 3_600
# Marketing texts leave between eight and twenty-two only.
_MARKETING_FROM: Final = dt.time(8, 1)

_OF_TEXT: Final = {
    theirs.FAILEDOPERATION_CONTAINSENSITIVEWORD: "sensitive_word",
    theirs.INVALIDPARAMETER_DIRTYWORDFOUND: "sensitive_word",
    theirs.INVALIDPARAMETERVALUE_CONTENTLENGTHLIMIT: "too_long",
    theirs.INVALIDPARAMETERVALUE_TEMPLATEPARAMETERLENGTHLIMIT: "param_too_long",
    theirs.INVALIDPARAMETERVALUE_TEMPLATEPARAMETERFORMATERROR: "param_unfit",
    theirs.INVALIDPARAMETERVALUE_PROHIBITEDUSEURLINTEMPLATEPARAMETER: "param_unfit",
    theirs.LIMITEXCEEDED_PHONENUMBERDAILYLIMIT: "number_limit",
    theirs.LIMITEXCEEDED_PHONENUMBERSAMECONTENTDAILYLIMIT: "number_limit",
    theirs.LIMITEXCEEDED_DELIVERYFREQUENCYLIMIT: "number_limit",
    theirs.INVALIDPARAMETERVALUE_INCORRECTPHONENUMBER: "bad_phone",
    theirs.FAILEDOPERATION_PHONENUMBERPARSEFAIL: "bad_phone",
    theirs.UNSUPPORTEDOPERATION_CHINESEMAINLANDTEMPLATETOGLOBALPHONE: "bad_phone",
    theirs.UNSUPPORTEDOPERATION_UNSUPPORTEDREGION: "bad_phone",
}
_OF_TEMPLATE: Final = {
    theirs.FAILEDOPERATION_TEMPLATEINCORRECTORUNAPPROVED,
    theirs.FAILEDOPERATION_TEMPLATEUNAPPROVEDORNOTEXIST,
    theirs.FAILEDOPERATION_TEMPLATEIDNOTEXIST,
    theirs.FAILEDOPERATION_TEMPLATEPARAMSETNOTMATCHAPPROVEDTEMPLATE,
    theirs.UNAUTHORIZEDOPERATION_INDIVIDUALUSERMARKETINGSMSPERMISSIONDENY,
}
_OF_SIGN: Final = {
    theirs.FAILEDOPERATION_SIGNATUREINCORRECTORUNAPPROVED,
    theirs.FAILEDOPERATION_SIGNIDNOTEXIST,
    theirs.FAILEDOPERATION_MISSINGSIGNATURE,
}
_SOON: Final = {
    theirs.LIMITEXCEEDED_PHONENUMBERTHIRTYSECONDLIMIT: _HALF_MINUTE,
    theirs.LIMITEXCEEDED_PHONENUMBERONEHOURLIMIT: _HOUR,
}
_BALANCE: Final = {
    theirs.FAILEDOPERATION_INSUFFICIENTBALANCEINSMSPACKAGE,
    theirs.UNAUTHORIZEDOPERATION_SERVICESUSPENDDUETOARREARS,
}
_DAY: Final = {
    theirs.LIMITEXCEEDED_APPDAILYLIMIT,
    theirs.LIMITEXCEEDED_APPMAINLANDCHINADAILYLIMIT,
    theirs.LIMITEXCEEDED_DAILYLIMIT,
}
_SHUT: Final = {
    theirs.UNAUTHORIZEDOPERATION_REQUESTIPNOTINWHITELIST: "ip_refused",
    theirs.UNAUTHORIZEDOPERATION_REQUESTPERMISSIONDENY: "no_permission",
    theirs.UNAUTHORIZEDOPERATION_SDKAPPIDISDISABLED: "app_disabled",
    theirs.UNAUTHORIZEDOPERATION_SMSSDKAPPIDVERIFYFAIL: "misconfigured",
    theirs.INVALIDPARAMETERVALUE_SDKAPPIDNOTEXIST: "misconfigured",
    theirs.INVALIDPARAMETER_APPIDANDBIZID: "misconfigured",
}


def judge(code: str, *, at: dt.datetime) -> Verdict:
    """What a code that is not "Ok" means. What the provider refused it did not send; its own troubles leave it open."""
    if code == theirs.FAILEDOPERATION_PHONENUMBERINBLACKLIST:
        return Verdict("refused", "blacklisted", scope="number")
    if code in _OF_TEXT:
        return Verdict("refused", _OF_TEXT[code])
    if code in _OF_TEMPLATE:
        return Verdict("refused", "bad_template", scope="template")
    if code in _OF_SIGN:
        return Verdict("refused", "bad_sign", scope="sign")
    if code in _SOON:
        return Verdict("later", "number_pace", pause_s=_SOON[code])
    if code == theirs.FAILEDOPERATION_MARKETINGSENDTIMECONSTRAINT:
        return Verdict("later", "marketing_hours", pause_s=_until_morning(at))
    return _of_lane(code, at)


def _of_lane(code: str, at: dt.datetime) -> Verdict:
    if code in _BALANCE:
        return Verdict("halted", "no_balance", scope="lane")
    if code in _DAY:
        return Verdict("halted", "day_limit", until=clock.day_bounds(clock.business_day(at))[1], scope="lane")
    if code in _SHUT:
        return Verdict("halted", _SHUT[code], scope="lane")
    if code.startswith("AuthFailure"):
        return Verdict("halted", "misconfigured", scope="lane")
    # Said by the machines in front of the interface, to whoever asks too much of them.
    if code.startswith("RequestLimitExceeded"):
        return Verdict("later", "too_fast", pause_s=1, scope="lane")
    if code.startswith("InternalError") or not code:
        return Verdict("unclear", "busy", scope="lane")
    return Verdict("refused", name_of(code))


def name_of(code: str) -> str:
    """A code of the provider's that we have no word for."""
    return (PREFIX + _CODE_SIGNS.sub("", code))[:50]


def _until_morning(at: dt.datetime) -> int:
    here = at.astimezone(clock.SHANGHAI)
    morning = dt.datetime.combine(here.date(), _MARKETING_FROM, clock.SHANGHAI)
    if morning <= here:
        morning += dt.timedelta(days=1)
    return int((morning - here).total_seconds())
