"""Her consents to subscription messages: which to ask for when, and what she answered."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import selectors as campaign_selectors
from campaigns import services as campaign_services
from campaigns.contracts import GrantAnswer
from campaigns.errors import NoSuchScene
from miniapp.api import MemberView
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit
from wechat.errors import NoAccount

_TEMPLATE_ID: Final = "9Aw5ZV1j9xdWTFEkqCpZ7mIBbSC34khK55OtzUPl0rU"


class SceneQuery(StrictInput):
    """Where she is."""

    scene = serializers.ChoiceField(choices=sorted(campaign_selectors.SCENES))


class OfferedTemplateOut(serializers.Serializer[Any]):
    """One template to ask for."""

    template_id = serializers.CharField()
    topic = serializers.CharField()
    topic_label = serializers.CharField()
    grant_count = serializers.IntegerField(help_text="consents of hers that no message has used up yet")


class OfferedTemplatesOut(serializers.Serializer[Any]):
    """What to give wx.requestSubscribeMessage, at most three; none: do not ask."""

    templates = OfferedTemplateOut(many=True)


class PopUpAnswerIn(StrictInput):
    """What the pop-up says of one template; `ban` and `filter` count as a refusal."""

    template_id = StrictText(max_length=64)
    answer = serializers.ChoiceField(choices=["accept", "reject", "ban", "filter"])


class PopUpAnswersIn(StrictInput):
    """The pop-up's result. `request_key`: made by the mini-program for this pop-up, so that repeating the report counts
    nothing twice."""

    request_key = serializers.RegexField(r"^[0-9A-Za-z_-]{8,64}$", max_length=64)
    answers = serializers.ListField(child=PopUpAnswerIn(), min_length=1, max_length=5)


class SubscriptionNotedOut(serializers.Serializer[Any]):
    """Noted."""

    noted = serializers.BooleanField()


class OfferedTemplatesView(MemberView):
    """`GET subscribe-templates`"""

    @documented(
        summary="Which consents to ask for / 该请求哪些订阅",
        words=(
            "Ask on a tap of hers, with these ids. Those she has fewest consents for come first; empty when the chain uses "
            "no subscription message here."
        ),
        query=SceneQuery,
        answer=OfferedTemplatesOut,
        example={
            "templates": [
                {
                    "template_id": _TEMPLATE_ID,
                    "topic": "coupon_expiring",
                    "topic_label": "券到期",
                    "grant_count": 0,
                }
            ]
        },
        refuses=(NoSuchScene, NoAccount),
    )
    def get(self, request: Request) -> Response:
        offered = campaign_selectors.list_offered_templates(
            app_id=self.session.app_id,
            openid=self.session.openid,
            scene=self.read_query(SceneQuery)["scene"],
        )
        return Response(OfferedTemplatesOut({"templates": offered}).data)


class SubscribeAnswersView(MemberView):
    """`POST subscribe-answers`"""

    limits: ClassVar = {"post": (Limit("member", 60, 3600),)}

    @documented(
        summary="What she answered in the pop-up / 上报订阅结果",
        words="Each consent counts once, also when WeChat tells us of it as well. Templates of others are left out.",
        body=PopUpAnswersIn,
        body_example={
            "request_key": "b2f0c9a4e1",
            "answers": [{"template_id": _TEMPLATE_ID, "answer": "accept"}],
        },
        answer=SubscriptionNotedOut,
        example={"noted": True},
        refuses=(NoAccount,),
    )
    def post(self, request: Request) -> Response:
        given = self.read(PopUpAnswersIn)
        campaign_services.report_answers(
            app_id=self.session.app_id,
            openid=self.session.openid,
            request_key=given["request_key"],
            answers=[
                GrantAnswer(one["template_id"], "accept" if one["answer"] == "accept" else "reject")
                for one in given["answers"]
            ],
        )
        return Response(SubscriptionNotedOut({"noted": True}).data)
