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
    "expire_tags": {"task": "members.expire_tags", "schedule": 60.0},
    "renew_channel_codes": {"task": "guides.renew_channel_codes", "schedule": 600.0},
    # Hourly, so that a worker that was down at midnight is made up for; a second run finds nothing to do.
    "expire_points": {"task": "members.expire_points", "schedule": 3600.0},
    "announce_expiring_points": {"task": "members.announce_expiring_points", "schedule": 3600.0},
    # What a killed process left of a bulk issue.
    "resume_issue_jobs": {"task": "coupons.resume_issue_jobs", "schedule": 30.0},
    "release_lapsed_locks": {"task": "coupons.release_lapsed_locks", "schedule": 60.0},
    "return_untaken_gifts": {"task": "coupons.return_untaken_gifts", "schedule": 60.0},
    "expire_coupons": {"task": "coupons.expire_coupons", "schedule": 3600.0},
    "announce_expiring_coupons": {"task": "coupons.announce_expiring_coupons", "schedule": 3600.0},
}
