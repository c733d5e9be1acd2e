"""The gateway's jobs on the timetable. Each loads nothing and calls one service."""

from celery import shared_task

from wechat.services import (
    follower_syncs,
    follower_tags,
    followers,
    inbox,
    outbox,
    reply_tallies,
    retention,
    tag_lists,
    tagging_queue,
    templates,
)


@shared_task(name="wechat.rescue_inbox")
def rescue_inbox() -> int:
    """Pushes whose wake-up was lost, or whose worker died and let its lease run out."""
    return inbox.take_turn()


@shared_task(name="wechat.rescue_messages")
def rescue_messages() -> int:
    """Messages whose wake-up was lost, whose pause is over, or whose sender died."""
    return outbox.rescue_stuck_messages() + outbox.send_due_messages()


@shared_task(name="wechat.identify_followers")
def identify_followers() -> int:
    """Followers whose unionid could not be asked when they followed."""
    return followers.identify_followers()


@shared_task(name="wechat.work_follower_syncs")
def work_follower_syncs() -> int:
    """Passes over all followers that wait for a worker, or whose worker died."""
    return follower_syncs.work_follower_syncs()


@shared_task(name="wechat.sync_follower_tags")
def sync_follower_tags() -> int:
    """Tags that were added, renamed or deleted in WeChat's console."""
    return follower_tags.sync_all_follower_tags()


@shared_task(name="wechat.read_tag_lists")
def read_tag_lists() -> int:
    """Who carries each tag, for tags whose list was read some hours ago."""
    return tag_lists.read_tag_lists()


@shared_task(name="wechat.work_taggings")
def work_taggings() -> int:
    """Tags that are to be put on followers or taken off, and those whose worker died."""
    return tagging_queue.work_taggings()


@shared_task(name="wechat.sync_templates")
def sync_templates() -> int:
    """Templates that were added, changed or deleted in WeChat's console."""
    return templates.sync_all_templates()


@shared_task(name="wechat.prune_gateway")
def prune_gateway() -> int:
    return retention.prune_gateway()


@shared_task(name="wechat.fold_reply_tallies")
def fold_reply_tallies() -> int:
    """What won since the last run is counted."""
    return reply_tallies.fold_reply_tallies()
