"""What she does in the mini-program, told in batches."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import services as member_services
from members.contracts.behaviours import BEHAVIOUR_KINDS
from miniapp.api import MemberView
from miniapp.schema import documented
from rest.bodies import RefusedOut, StrictInput
from rest.throttles import Limit

_WORDS: Final = (
    "Collect on the phone, send when there are ten or when she leaves, and send the same events with the same keys until the "
    "answer came: each counts once. Only the distance between `at` and `sent_at` counts, so set `sent_at` anew with every "
    "sending; the phone's clock may be wrong. Each event is kept or refused by itself. What is older than seven days is "
    "refused. Nothing is kept of a member who does not agree to 个性化推荐 (`declined_count`)."
)


class BehavioursIn(StrictInput):
    """A batch. Each event: `key` (8 to 64 letters, digits, _ and -, made by the phone), `kind`, `at`, and `with` the fields
    of its kind (docs/mini-program.md)."""

    sent_at = serializers.DateTimeField(help_text="the phone's clock when this request is sent")
    events = serializers.ListField(
        child=serializers.JSONField(), min_length=1, max_length=member_services.MOST_OF_PHONE
    )


class BehavioursOut(serializers.Serializer[Any]):
    """What became of the batch. Whatever the numbers, it is done with."""

    kept_count = serializers.IntegerField()
    repeated_count = serializers.IntegerField(help_text="were kept before")
    declined_count = serializers.IntegerField(help_text="fit, but she does not agree to their being kept")
    refused = RefusedOut(many=True)


class BehavioursView(MemberView):
    """`POST behaviours`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="What she did / 上报行为",
        words=_WORDS + " Kinds: " + ", ".join(BEHAVIOUR_KINDS) + ".",
        body=BehavioursIn,
        body_example={
            "sent_at": "2026-11-28T20:15:09+08:00",
            "events": [
                {
                    "key": "m3k9x2a7-0001",
                    "kind": "product_viewed",
                    "at": "2026-11-28T20:14:30+08:00",
                    "with": {"product": "C2041", "page": "pages/goods/detail", "stay_s": 18},
                }
            ],
        },
        answer=BehavioursOut,
        example={"kept_count": 1, "repeated_count": 0, "declined_count": 0, "refused": []},
    )
    def post(self, request: Request) -> Response:
        given = self.read(BehavioursIn)
        kept = member_services.record_member_behaviours(
            member_id=self.member_id,
            app_id=self.session.app_id,
            openid=self.session.openid,
            told=given["events"],
            sent_at=given["sent_at"],
        )
        return Response(kept.told())
