"""Rows of `sms`."""

from sms.models.lanes import SmsLane
from sms.models.messages import SmsMessage, SmsState
from sms.models.reports import ReportState, SmsBlock, SmsReceipt, SmsReply
from sms.models.texts import Purpose, ReviewState, SmsSign, SmsTemplate

__all__ = [
    "Purpose",
    "ReportState",
    "ReviewState",
    "SmsBlock",
    "SmsLane",
    "SmsMessage",
    "SmsReceipt",
    "SmsReply",
    "SmsSign",
    "SmsState",
    "SmsTemplate",
]
