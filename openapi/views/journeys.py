"""Journeys: another system of the chain sends a member on her way."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import errors
from campaigns.contracts.acts import PLACEHOLDERS
from campaigns.services import journeys
from core.errors import InvalidInput
from members import selectors as member_selectors
from members.errors import NoSuchMember
from openapi.api import KeyView, StrictInput, StrictText
from openapi.errors import ChainOnly
from openapi.schema import ONCE, WRITES, documented
from openapi.views.sale_documents import MemberIn

_LONGEST: Final = 60
_EXAMPLE: Final = {
    "id": "H4TBNW9CAYQ7M2KX",
    "key": "repair-20261128-0001",
    "member": {"kind": "member_code", "value": "K7PW2MHT9XCQ"},
    "values": {"day": "12月1日"},
}


class EnrolmentIn(StrictInput):
    """Who enters which journey, why (once for the key), and words for its texts."""

    id = StrictText(max_length=16, help_text="of the journey / 旅程编号")
    key = StrictText(
        max_length=_LONGEST, help_text="once for it, whatever request tells it / 每个事由只进一次"
    )
    member = MemberIn()
    values = serializers.DictField(
        child=StrictText(max_length=_LONGEST), required=False, help_text=", ".join(PLACEHOLDERS)
    )


class EnrolmentOut(serializers.Serializer[Any]):
    """She is, or was, on her way."""

    enrolment_id = serializers.IntegerField()


class EnrolmentsView(KeyView):
    """`POST journeys/enrolments`"""

    scope = "journeys"

    @documented(
        summary="Send a member into a journey / 让会员进入旅程",
        words=(
            "Only journeys that begin by the API and run. The same key again gets the same enrolment. Who is under way, may "
            "not enter again yet or does not meet its condition is refused (campaigns.journey_not_for_her). Only for keys of the "
            "whole chain."
        ),
        headers=WRITES,
        body=EnrolmentIn,
        body_example=_EXAMPLE,
        answer=EnrolmentOut,
        example={"enrolment_id": 81},
        refuses=(
            *ONCE,
            ChainOnly,
            NoSuchMember,
            errors.NoSuchJourney,
            errors.JourneyNotRunning,
            errors.JourneyNotOpen,
            errors.JourneyNotForHer,
        ),
    )
    def post(self, request: Request) -> Response:
        if self.client.store_id is not None or self.client.dealer_id is not None:
            raise ChainOnly
        given = self.read(EnrolmentIn)
        unknown = set(given.get("values", {})) - set(PLACEHOLDERS)
        if unknown:
            raise InvalidInput(str(_("没有这些变量")), fields={"values": sorted(unknown)})
        named = given["member"]
        name = (named["kind"], named.get("app_id", ""), named["value"])
        member_id = member_selectors.list_member_ids_by_keys([name]).get(name)
        if member_id is None:
            raise NoSuchMember
        key = f"{self.client.client_id}:{given['key']}"

        def run(_name: str) -> dict[str, Any]:
            enrolment_id = journeys.enrol_member(
                public_id=given["id"], member_id=member_id, key=key, values=given.get("values", {})
            )
            return {"enrolment_id": enrolment_id}

        return self.write(run)
