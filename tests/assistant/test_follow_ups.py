"""跟进任务 in the assistant: lists by day, one with what to say, done with a result, and taken back."""

import datetime as dt
import re
from typing import Any

import pytest

from core import clock
from guides import services as guide_services
from guides.contracts import FollowUpOrder
from guides.models import FollowUp
from tests.cast import DIRECTOR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

HTMX = {"HX-Request": "true"}
UNKNOWN = "2222222222222222"


def assign(cast: Any, key: str = "k1", days: int = 0) -> FollowUp:
    order = FollowUpOrder(
        member_id=cast.xiaomei.id,
        topic="coupon_expiring",
        title="券快到期了",
        script="提醒她有 2 张券，\n用到 12 月 1 日。",
        due_on=clock.today() + dt.timedelta(days=days),
        source_key=key,
    )
    guide_services.assign_follow_ups(orders=[order])
    return FollowUp.objects.get(source_key=key)


def test_lists_by_day_and_the_tile_on_today(cast, log_in, django_assert_max_num_queries):
    late, today, later = assign(cast, "late", -2), assign(cast, "today"), assign(cast, "later", 1)
    client = log_in(cast.lina)
    for tab, rows in (("due", [late, today]), ("later", [later]), ("done", []), ("made-up", [late, today])):
        with django_assert_max_num_queries(12):
            answer = client.get("/a/follow-ups/", {"tab": tab})
        page = answer.context["page"]
        assert [row.public_id for row in page.list.rows] == [row.public_id for row in rows]
        assert not re.search(r' style="| on[a-z]+="|<script>', answer.content.decode())
    assert [row.when_text for row in client.get("/a/follow-ups/").context["page"].list.rows] == [
        "逾期 2 天",
        "今天截止",
    ]
    with django_assert_max_num_queries(12):
        home = client.get("/a/")
    assert home.context["page"].follow_ups.text == "2 个跟进任务今天要做"
    assert home.context["page"].follow_ups.late_text == "1 个逾期"
    assert "2 个待办" in client.get("/a/me/").content.decode()
    assert log_in(cast.wangfang).get("/a/").context["page"].follow_ups is None


def test_done_with_a_result_and_taken_back(cast, log_in, django_assert_max_num_queries):
    task = assign(cast)
    client = log_in(cast.lina)
    with django_assert_max_num_queries(12):
        page = client.get(f"/a/follow-ups/{task.public_id}/").content.decode()
    assert "提醒她有 2 张券，<br>用到 12 月 1 日。" in page
    fields = {"result": "coming", "note": "周六下午来"}
    for _tap in range(2):
        said = client.post(f"/a/follow-ups/{task.public_id}/done/", fields, headers=HTMX)
        assert (said.status_code, said.context["page"].text) == (200, "已完成")
    assert "约好到店" in said.content.decode()
    assert "撤销" in said.content.decode()
    task.refresh_from_db()
    assert (task.state, task.result, task.note) == ("done", "coming", "周六下午来")
    said = client.post(f"/a/follow-ups/{task.public_id}/undo/", headers=HTMX)
    assert said.context["page"].text == "已撤销"
    assert client.get("/a/follow-ups/").context["page"].list.rows[0].public_id == task.public_id


@pytest.mark.parametrize("fields", [{}, {"result": "nonsense"}, {"result": "reached", "note": "长" * 201}])
def test_what_is_no_result_is_refused_and_nothing_is_done(cast, log_in, fields):
    task = assign(cast)
    answer = log_in(cast.lina).post(f"/a/follow-ups/{task.public_id}/done/", fields, headers=HTMX)
    assert (answer.status_code, answer["X-Refusal"]) == (400, "guides.follow_up_unfit")
    assert FollowUp.objects.get().state == "open"


def test_anothers_and_a_moved_one_are_unknown(cast, log_in):
    task = assign(cast)
    other = log_in(cast.wangfang)
    for public_id in (task.public_id, UNKNOWN):
        assert other.get(f"/a/follow-ups/{public_id}/").status_code == 404
        answer = other.post(f"/a/follow-ups/{public_id}/done/", {"result": "reached"}, headers=HTMX)
        assert answer.status_code == 404
    guide_services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="manager", reason="排班", actor=DIRECTOR
    )
    guide_services.mend_follow_ups()
    assert other.get(f"/a/follow-ups/{task.public_id}/").status_code == 200
    assert log_in(cast.lina).get(f"/a/follow-ups/{task.public_id}/").status_code == 404


def test_a_long_list_goes_on(cast, log_in):
    for number in range(25):
        assign(cast, f"k{number}")
    client = log_in(cast.lina)
    page = client.get("/a/follow-ups/").context["page"].list
    rest = client.get(page.next_url).context["page"]
    assert (len(page.rows), len(rest.rows), rest.next_url) == (20, 5, "")
    assert client.get("/a/follow-ups/rows/?tab=later&cursor=made-up").status_code == 400
