"""触达事项, 通知模板 and 触达规则: what staff are offered, and what a form starts from."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.contracts import OFFERED_TOPICS
from campaigns.models import TopicTemplate
from tests.campaigns.kit import make_template
from tests.cast import Cast

RULE = reverse("admin:campaigns_topicrule_add")
MAPPINGS = reverse("admin:campaigns_topictemplate_changelist")


def codes_of(field: Any) -> set[str]:
    return {code for code, _label in field.choices}


@pytest.mark.parametrize("topic", OFFERED_TOPICS, ids=lambda topic: topic.code)
def test_each_topic_that_is_offered_is_told_by_somebody(topic: Any) -> None:
    sources = [path.read_text() for app in ("guides", "coupons", "sales") for path in
               Path(settings.BASE_DIR, app, "services").glob("*.py")]  # fmt: skip
    assert any(f'topic="{topic.code}"' in text for text in sources)


def test_a_topic_starts_from_how_it_is_handled_so_far(desk: Client) -> None:
    listed = desk.get(reverse("admin:campaigns_topicrule_changelist")).content.decode()
    assert f"{RULE}?topic=tier_at_risk" in listed
    assert "营销活动" not in listed.split("xe-table")[1].split("</table>")[0]
    form = desk.get(RULE, {"topic": "tier_at_risk"}).context["adminform"].form
    first = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    assert (first["topic"], first["importance"], first["is_on"]) == ("tier_at_risk", "normal", True)
    assert first["chosen"] == ["subscription", "template", "service_message", "follow_up", "inbox"]
    assert "sms" not in codes_of(form.fields["chosen"])
    assert "marketing" not in codes_of(form.fields["topic"])


def test_nothing_chosen_in_a_cap_is_called_all_together(desk: Client, full_chain: Cast) -> None:
    page = desk.get(reverse("admin:campaigns_reachpolicy_change", args=[1]))
    [caps] = page.context["inline_admin_formsets"]
    channel = caps.formset.empty_form.fields["channel"]
    assert dict(channel.choices)[""] == "合计"
    assert "sms" not in codes_of(channel)


def test_the_list_of_mappings_asks_for_all_titles_at_once(desk: Client, cast: Cast) -> None:
    def add(topic: str) -> None:
        template = make_template(cast.account_id, f"tpl-{topic}", title=f"模板 {topic}")
        TopicTemplate.objects.create(
            topic=topic, account_id=cast.account_id, kind="template", template_id=template.template_id
        )

    add("sale")
    with CaptureQueriesContext(connection) as one:
        assert "模板 sale" in desk.get(MAPPINGS).content.decode()
    for topic in ("return", "review", "tier_up"):
        add(topic)
    with CaptureQueriesContext(connection) as four:
        assert "模板 tier_up" in desk.get(MAPPINGS).content.decode()
    assert len(four) == len(one)
