"""Who is told by text at all, and which template says a topic."""

import pytest

from campaigns import services
from campaigns.errors import MappingUnfit, TextPurposeUnfit
from campaigns.models import TopicRule, TopicText
from campaigns.services.text_mapping import map_topic_to_text
from core import clock
from guides.contracts import MemberText
from members import services as member_services
from sms.models import SmsTemplate
from tests.campaigns.text_kit import FIELDS, STAFF, Desk
from tests.sms.kit import (
    new_phone,
)


def test_who_is_known_in_no_app_is_told_where_a_text_can(desk: Desk) -> None:
    stranger = member_services.register_member(name="陈静", phone=new_phone(), source="pos", actor=STAFF).id

    TopicText.objects.create(
        topic="points_expiring",
        template_id=desk.notice.pk,
        fields={"1": {"value": "points"}, "2": {"value": "day"}},
    )

    def tell(key: str) -> int:
        told = MemberText(
            member_id=stranger,
            topic="points_expiring",
            reason_key=key,
            title="积分快到期了",
            text="有 300 积分。",
            values={"points": "300", "day": "明天"},
        )
        return services.tell_members(told=[told], at=clock.now())

    assert tell("s1") == 0
    TopicRule.objects.create(topic="points_expiring", importance="normal", channels="template,sms,inbox")
    assert tell("s2") == 1
    services.send_due_reaches()
    assert desk.world.row("s2").channel == "sms"
    TopicText.objects.update(is_on=False)
    assert tell("s3") == 0


def test_a_topic_is_mapped_to_a_template_and_its_places_are_guessed(desk: Desk) -> None:
    TopicText.objects.all().delete()
    made = map_topic_to_text(
        topic="coupon_expiring", template_id=desk.notice.pk, fields=None, is_on=True, actor=STAFF
    )
    assert TopicText.objects.get(pk=made).fields == FIELDS
    code = SmsTemplate.objects.get(purpose="code")
    with pytest.raises(TextPurposeUnfit):
        map_topic_to_text(topic="sale", template_id=code.pk, fields=None, is_on=True, actor=STAFF)
    for bad in ({"value": "nothing"}, {"words": ""}, {"words": "看 http://a.cn"}, {}):
        with pytest.raises(MappingUnfit) as refused:
            map_topic_to_text(
                topic="coupon_expiring",
                template_id=desk.notice.pk,
                fields={"1": bad, "2": {"value": "day"}},
                is_on=True,
                actor=STAFF,
            )
        assert list(refused.value.details["faults"]) == ["1"]
