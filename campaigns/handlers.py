"""What `campaigns` does when something was told. All may be delivered twice."""

from campaigns import services
from campaigns.events import (
    CampaignDue,
    CampaignMoved,
    MassConfirmed,
    MaterialShared,
    ReachesQueued,
    SegmentDue,
)
from campaigns.services import material_openings, material_shares, running
from core import clock
from members.events import ConsentWithdrawn
from sms.events import OptOutReceived, TextReported
from wechat.events import MassSettled, SubscriptionAnswered, SubscriptionSettled, TemplateDelivered


def on_campaign_moved(event: CampaignMoved) -> None:
    """Its queue is held, let go or taken back. Lost, the timetable finds it."""
    running.follow_campaign(campaign_id=event.campaign_id)


def on_campaign_due(event: CampaignDue) -> None:
    """Release it. Lost, the timetable finds it."""
    running.work_campaigns()


def on_reaches_queued(event: ReachesQueued) -> None:
    """Send what is due. Lost, the timetable finds it."""
    services.work_reaches()


def on_segment_due(event: SegmentDue) -> None:
    """Work out what is due. Lost, the timetable finds it."""
    services.work_segments()


def on_mass_confirmed(event: MassConfirmed) -> None:
    """Send it. Lost, the timetable finds it."""
    services.send_mass_message(event.message_id)


def on_mass_settled(event: MassSettled) -> None:
    """Its numbers, or why WeChat did not send it."""
    services.settle_mass_message(told=event)


def on_template_delivered(event: TemplateDelivered) -> None:
    """It arrived, or the next channel is tried."""
    services.note_delivery(
        account_id=event.account_id,
        app_id=event.app_id,
        openid=event.openid,
        channel="template",
        message_id=event.message_id,
        is_delivered=event.status == "success",
        is_blocked=event.status == "blocked",
        at=clock.now(),
    )


def on_subscription_settled(event: SubscriptionSettled) -> None:
    """The same of a subscription message."""
    services.note_delivery(
        account_id=event.account_id,
        app_id=event.app_id,
        openid=event.openid,
        channel="subscription",
        message_id=event.message_id,
        is_delivered=event.is_delivered,
        at=clock.now(),
    )


def on_subscription_answered(event: SubscriptionAnswered) -> None:
    """A consent in the pop-up counts one; a template that she switched off in her settings has none left. A no in the
    pop-up takes nothing of what she agreed to before, and a yes in the settings is no consent to a message."""
    if event.is_accepted == event.is_setting:
        return
    services.note_pushed_answer(
        account_id=event.account_id,
        openid=event.openid,
        template_id=event.template_id,
        accepted=event.is_accepted,
        push_key=f"push:{event.inbound_id}:{event.template_id}"[:80],
        at=min(clock.from_unix(event.at), clock.now()),
    )


def on_text_reported(event: TextReported) -> None:
    """A text arrived, or the next channel is tried. Raises Unavailable for one that no reach has (yet)."""
    services.note_text_report(
        message_id=event.message_id,
        reference=event.reference,
        is_delivered=event.is_delivered,
        at=clock.now(),
    )


def on_opt_out_received(event: OptOutReceived) -> None:
    """Who answers a text that she wants no more takes back her consent to marketing."""
    services.note_opt_out(reply_id=event.reply_id)


def on_material_shared(event: MaterialShared) -> None:
    """It counts for the guide in the ledger. Lost, the timetable finds it."""
    material_shares.count_share(visit_id=event.visit_id)


def on_consent_withdrawn(event: ConsentWithdrawn) -> None:
    """Of who does not agree (any more) to its being kept, nobody knows what she opened."""
    material_openings.part_readers(member_id=event.member_id)
