"""Reads of `campaigns`."""

from campaigns.selectors.grants import SCENES, list_offered_templates
from campaigns.selectors.inbox import count_unread_inbox, list_inbox
from campaigns.selectors.policy import get_policy, list_topic_terms

__all__ = [
    "SCENES",
    "count_unread_inbox",
    "get_policy",
    "list_inbox",
    "list_offered_templates",
    "list_topic_terms",
]
