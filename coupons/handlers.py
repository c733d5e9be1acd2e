"""What `coupons` does when others tell of something. All may be delivered twice."""

from core.actor import Actor
from coupons import services
from coupons.services.face_to_face import PURPOSE
from guides import events as guide_events


def on_channel_scanned(event: guide_events.ChannelScanned) -> None:
    """Who scanned a face-to-face code has her coupon, or is told why not."""
    if event.purpose == PURPOSE:
        services.answer_face_to_face_scan(scan_id=event.scan_id, actor=Actor.system("on_channel_scanned"))
