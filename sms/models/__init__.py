"""Rows of `sms`."""

from sms.models.lanes import SmsLane
from sms.models.messages import SmsMessage, SmsState
from sms.models.pulls import PullKind, PullState, SmsPull
from sms.models.reports import ReportState, SmsBlock, SmsReceipt, SmsReply
from sms.models.spending import SmsSpend
from sms.models.texts import Purpose, ReviewState, SmsSign, SmsTemplate
from sms.models.trials import SmsTrial

__all__ = [
    "PullKind",
    "PullState",
    "Purpose",
    "ReportState",
    "ReviewState",
    "SmsBlock",
    "SmsLane",
    "SmsMessage",
    "SmsPull",
    "SmsReceipt",
    "SmsReply",
    "SmsSign",
    "SmsSpend",
    "SmsState",
    "SmsTemplate",
    "SmsTrial",
]
