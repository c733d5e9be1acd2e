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
    "work_imports": {"task": "members.work_imports", "schedule": 10.0},
    "prune_imports": {"task": "members.prune_imports", "schedule": 3600.0},
    "expire_tags": {"task": "members.expire_tags", "schedule": 60.0},
    "renew_channel_codes": {"task": "guides.renew_channel_codes", "schedule": 600.0},
    # Hourly, so that a worker that was down at midnight is made up for; a second run finds nothing to do.
    "expire_points": {"task": "members.expire_points", "schedule": 3600.0},
    "announce_expiring_points": {"task": "members.announce_expiring_points", "schedule": 3600.0},
}
