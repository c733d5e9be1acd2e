"""The Celery timetable: which job, how often (seconds). Every job is safe to run twice at once."""

from typing import Any

TIMETABLE: dict[str, dict[str, Any]] = {
    # Finds what a lost wake-up, a dead worker or a flushed broker left behind.
    "rescue_inbox": {"task": "wechat.rescue_inbox", "schedule": 5.0},
    "rescue_messages": {"task": "wechat.rescue_messages", "schedule": 5.0},
    "identify_followers": {"task": "wechat.identify_followers", "schedule": 30.0},
    "work_follower_syncs": {"task": "wechat.work_follower_syncs", "schedule": 5.0},
    "sync_follower_tags": {"task": "wechat.sync_follower_tags", "schedule": 6 * 3600.0},
    "read_tag_lists": {"task": "wechat.read_tag_lists", "schedule": 300.0},
    "work_taggings": {"task": "wechat.work_taggings", "schedule": 5.0},
    "work_tag_links": {"task": "guides.work_tag_links", "schedule": 30.0},
    "rescue_texts": {"task": "sms.rescue_messages", "schedule": 5.0},
    "work_reports_of_texts": {"task": "sms.work_reports", "schedule": 5.0},
    "pull_reports_of_texts": {"task": "sms.pull_reports", "schedule": 30.0},
    "sync_reviews_of_texts": {"task": "sms.sync_reviews", "schedule": 6 * 3600.0},
    "prune_texts": {"task": "sms.prune_messages", "schedule": 3600.0},
    "sync_templates": {"task": "wechat.sync_templates", "schedule": 6 * 3600.0},
    "prune_gateway": {"task": "wechat.prune_gateway", "schedule": 3600.0},
    # Numbers of the reply desk are as fresh as this.
    "fold_reply_tallies": {"task": "wechat.fold_reply_tallies", "schedule": 30.0},
    "prune_devices": {"task": "miniapp.prune_devices", "schedule": 3600.0},
    "prune_api": {"task": "openapi.prune_api", "schedule": 900.0},
    # Somebody looks at the progress.
    "build_exports": {"task": "config.build_exports", "schedule": 3.0},
    "prune_exports": {"task": "config.prune_exports", "schedule": 3600.0},
    "clear_sessions": {"task": "config.clear_sessions", "schedule": 6 * 3600.0},
    "mend_missed_reactions": {"task": "guides.mend_missed_reactions", "schedule": 30.0},
    "mend_requests": {"task": "guides.mend_requests", "schedule": 30.0},
    "mend_follow_ups": {"task": "guides.mend_follow_ups", "schedule": 60.0},
    # Wakes whoever sends; what a dead sender left is taken over after its lease.
    "send_reaches": {"task": "campaigns.send_due_reaches", "schedule": 5.0},
    "recall_lost_reports": {"task": "campaigns.recall_lost_reports", "schedule": 60.0},
    "end_over_campaigns": {"task": "campaigns.end_over_campaigns", "schedule": 60.0},
    # Campaigns that are due, members who wait for what is theirs, queues to be held or taken back.
    "work_campaigns": {"task": "campaigns.work_campaigns", "schedule": 5.0},
    "work_mass_messages": {"task": "campaigns.work_mass_messages", "schedule": 5.0},
    "prune_mass_lists": {"task": "campaigns.prune_mass_lists", "schedule": 6 * 3600.0},
    # What a lost event left uncounted; who opened nothing for long, or agrees no more, is told by nothing.
    "count_shares": {"task": "campaigns.count_shares", "schedule": 60.0},
    "forget_readers": {"task": "campaigns.forget_readers", "schedule": 24 * 3600.0},
    "prune_reaches": {"task": "campaigns.prune_reaches", "schedule": 3600.0},
    # Who is due in a journey, what happened, whose day it is.
    "work_journeys": {"task": "campaigns.work_journeys", "schedule": 5.0},
    "keep_journeys": {"task": "campaigns.keep_journeys", "schedule": 15.0},
    "prune_journey_steps": {"task": "campaigns.prune_journey_steps", "schedule": 3600.0},
    "work_webhooks": {"task": "campaigns.work_webhooks", "schedule": 5.0},
    "prune_webhooks": {"task": "campaigns.prune_webhooks", "schedule": 3600.0},
    # Segments that are due, and members whose rows changed; mostly there are none.
    "work_segments": {"task": "campaigns.work_segments", "schedule": 5.0},
    "count_contacts": {"task": "campaigns.count_contacts", "schedule": 3600.0},
    "prune_segment_moves": {"task": "campaigns.prune_segment_moves", "schedule": 3600.0},
    # Runs that were launched, members of campaigns whose purchases changed, and sums that reports read.
    "work_outcomes": {"task": "campaigns.work_outcomes", "schedule": 15.0},
    "mark_overdue_requests": {"task": "guides.mark_overdue_requests", "schedule": 60.0},
    "settle_answers": {"task": "guides.settle_answers", "schedule": 30.0},
    "prune_conversations": {"task": "guides.prune_conversations", "schedule": 3600.0},
    "close_done_requests": {"task": "guides.close_done_requests", "schedule": 600.0},
    "sweep_latecomers": {"task": "members.sweep_latecomers", "schedule": 60.0},
    "work_imports": {"task": "members.work_imports", "schedule": 10.0},
    "prune_imports": {"task": "members.prune_imports", "schedule": 3600.0},
    # The first of a month begins at midnight in Shanghai; its partition was made two months before.
    "keep_behaviour_months": {"task": "members.keep_behaviour_months", "schedule": 3600.0},
    "sum_behaviour_days": {"task": "members.sum_behaviour_days", "schedule": 300.0},
    "settle_behaviours": {"task": "members.settle_behaviours", "schedule": 600.0},
    "expire_tags": {"task": "members.expire_tags", "schedule": 60.0},
    "renew_channel_codes": {"task": "guides.renew_channel_codes", "schedule": 600.0},
    "reward_profiles": {"task": "members.reward_profiles", "schedule": 600.0},
    # Hourly, so that a worker that was down at midnight is made up for; a second run finds nothing to do.
    "expire_points": {"task": "members.expire_points", "schedule": 3600.0},
    "erase_ripe_members": {"task": "members.erase_ripe_members", "schedule": 600.0},
    "erase_unfollowed": {"task": "members.erase_unfollowed", "schedule": 3600.0},
    # Finds nothing to do but in the days after FIELD_KEYS got a new first key.
    "reseal": {"task": "config.reseal", "schedule": 6 * 3600.0},
    "announce_expiring_points": {"task": "members.announce_expiring_points", "schedule": 3600.0},
    # What is due is due on a Shanghai day; hourly for the same reason.
    "reassess_tiers": {"task": "members.reassess_tiers", "schedule": 3600.0},
    "announce_tiers_at_risk": {"task": "members.announce_tiers_at_risk", "schedule": 6 * 3600.0},
    "run_reassessments": {"task": "members.run_reassessments", "schedule": 60.0},
    # What a killed process left of a bulk issue.
    "resume_issue_jobs": {"task": "coupons.resume_issue_jobs", "schedule": 30.0},
    "resume_void_jobs": {"task": "coupons.resume_void_jobs", "schedule": 30.0},
    # An offer lasts minutes, and she stands in the shop.
    "mend_face_to_face": {"task": "coupons.mend_face_to_face", "schedule": 10.0},
    # Occasions whose event was lost, birthdays, and who waits for a batch.
    "work_standing_rules": {"task": "coupons.work_standing_rules", "schedule": 60.0},
    "prune_issue_lists": {"task": "coupons.prune_issue_lists", "schedule": 3600.0},
    "release_lapsed_locks": {"task": "coupons.release_lapsed_locks", "schedule": 60.0},
    "return_untaken_gifts": {"task": "coupons.return_untaken_gifts", "schedule": 60.0},
    "finish_unlocks": {"task": "coupons.finish_unlocks", "schedule": 30.0},
    "prune_exchange_tries": {"task": "coupons.prune_exchange_tries", "schedule": 3600.0},
    "expire_coupons": {"task": "coupons.expire_coupons", "schedule": 3600.0},
    "announce_expiring_coupons": {"task": "coupons.announce_expiring_coupons", "schedule": 3600.0},
    # Numbers are as fresh as this; a run finds little to do and takes some milliseconds.
    "fold_coupon_stats": {"task": "coupons.fold_stats", "schedule": 15.0},
    "settle_redemptions": {"task": "coupons.settle_redemptions", "schedule": 60.0},
    # Once a night; hourly, so that a worker that was down at three is made up for.
    "prove_coupon_stats": {"task": "coupons.prove_stats", "schedule": 3600.0},
    # What names somebody who has been registered since.
    "retry_held_documents": {"task": "sales.retry_held_documents", "schedule": 600.0},
    # Stores that came to a region or left it, and boards of closed months whose freezing was interrupted.
    "sync_sales_places": {"task": "sales.sync_places", "schedule": 60.0},
    "freeze_closed_boards": {"task": "sales.freeze_closed_boards", "schedule": 60.0},
    # Members of a large batch: it only notes whom it touched.
    "fold_touched_members": {"task": "sales.fold_touched_members", "schedule": 5.0},
    # Orders of files, and those whose event was lost: their members hear of them, and have what they earned.
    "work_purchase_care": {"task": "sales.work_purchase_care", "schedule": 10.0},
    "work_reviews": {"task": "sales.work_reviews", "schedule": 30.0},
    # The night's run over all members, begun after midnight, and one when the chain changed its rules.
    "work_metrics_runs": {"task": "sales.work_metrics_runs", "schedule": 60.0},
    # Members who came, in batches; after midnight the totals are proved.
    "work_nine": {"task": "sales.work_nine", "schedule": 15.0},
    # What a killed import left; the import itself folds after each slice.
    "fold_totals": {"task": "sales.fold_totals", "schedule": 5.0},
    # How many stand on each board, and from which end of it ranks are counted sooner.
    "fold_board_sizes": {"task": "sales.fold_board_sizes", "schedule": 60.0},
    "work_intakes": {"task": "sales.work_intakes", "schedule": 10.0},
    "prune_intakes": {"task": "sales.prune_intakes", "schedule": 3600.0},
    # New members, bindings and redemptions whose event was lost; the second after an outage of hours.
    "catch_up_facts": {"task": "sales.catch_up_facts", "schedule": 60.0},
    "catch_up_older_facts": {"task": "sales.catch_up_older_facts", "schedule": 6 * 3600.0},
    # What a killed worker left of a job that a person started.
    "work_commissions": {"task": "sales.work_commissions", "schedule": 30.0},
    "work_sales_desk_jobs": {"task": "sales.work_desk_jobs", "schedule": 30.0},
    "prove_sales_totals": {"task": "sales.prove_totals", "schedule": 21600.0},
}
