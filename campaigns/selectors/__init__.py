"""Reads of `campaigns`."""

from campaigns.selectors.inbox import count_unread_inbox, list_inbox
from campaigns.selectors.policy import get_policy, list_topic_terms

__all__ = ["count_unread_inbox", "get_policy", "list_inbox", "list_topic_terms"]
