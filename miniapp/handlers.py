"""What the mini-program's API does when a member leaves, or withdraws inside WeChat. Both may come twice."""

from core.actor import Actor
from members import events as member_events
from miniapp import services


def on_member_erased(event: member_events.MemberErased) -> None:
    """She is logged out everywhere: erasing did it, and what came in between goes too."""
    services.erase_devices(member_id=event.member_id, actor=Actor.system("on_member_erased"))


def on_authorization_forgotten(event: member_events.AuthorizationForgotten) -> None:
    """Who withdrew everything is logged out of that mini-program; she may log in again, as somebody who is asked."""
    if not event.codes:
        services.revoke_app_devices(
            member_id=event.member_id,
            app_id=event.app_id,
            actor=Actor.system("on_authorization_forgotten"),
        )
