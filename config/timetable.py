"""The Celery timetable: which job, how often (seconds). Every job is safe to run twice at once."""

from typing import Any

TIMETABLE: dict[str, dict[str, Any]] = {
    # Finds what a lost wake-up, a dead worker or a flushed broker left behind.
    "rescue_inbox": {"task": "wechat.rescue_inbox", "schedule": 5.0},
    "rescue_messages": {"task": "wechat.rescue_messages", "schedule": 5.0},
    "identify_followers": {"task": "wechat.identify_followers", "schedule": 30.0},
    "prune_gateway": {"task": "wechat.prune_gateway", "schedule": 3600.0},
    "clear_sessions": {"task": "config.clear_sessions", "schedule": 6 * 3600.0},
    "mend_missed_reactions": {"task": "guides.mend_missed_reactions", "schedule": 30.0},
    "renew_channel_codes": {"task": "guides.renew_channel_codes", "schedule": 600.0},
}
