"""Around a journey's page: ready-made ones and their gifts, copies, versions in words, and why somebody stands where she does."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from campaigns.contracts.ready_made import READY_MADE
from campaigns.contracts.ready_made_gifts import GIFTS, gift_in, with_gift
from campaigns.models import Enrolment, Journey
from campaigns.selectors.journeys import find_definition
from campaigns.services import journeys
from tests.admin.journey_kit import DRAFT, fill_journeys
from tests.campaigns.campaign_kit import batch_of
from tests.campaigns.journey_kit import BOSS, change, definition, enter, points, run, start, wait, wait_event
from tests.cast import Cast
from tests.coupons.kit import make_batch
from tests.forms import sent_by

pytestmark = pytest.mark.django_db
INSTALL = reverse("admin:campaigns_journey_install")


@pytest.fixture
def client(cast: Cast, client: Client) -> Client:
    client.force_login(cast.head_office)
    return client


def page(row: Journey, name: str = "change", *more: Any) -> str:
    return reverse(f"admin:campaigns_journey_{name}", args=[row.pk, *more])


def words(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


# Ready-made ones ------------------------------------------------------------------------------------------------


def test_without_a_batch_points_are_given_and_the_page_says_where_coupons_are_made(
    cast: Cast, client: Client
) -> None:
    text = words(client.get(INSTALL))
    assert "去建一个券批次" in text
    assert "要先有发给会员的券" in text
    sent = sent_by(text, having="codes")
    assert len(sent["codes"]) == len(READY_MADE)
    client.post(INSTALL, sent)
    assert Journey.objects.count() == len(READY_MADE)
    assert {gift_in(row.made_as, row.draft) for row in Journey.objects.filter(made_as__in=GIFTS)} == {""}
    assert "等到 3 天后的 10:00" in text
    journeys.start_journey(journey_id=Journey.objects.get(made_as="birthday").pk, actor=BOSS)
    there = words(client.get(INSTALL))
    assert there.count("已装入，未启用") == len(READY_MADE) - 1
    assert there.count("已装入，运行中") == 1
    assert "装入选中的" not in there
    # What each gives stands there too, as it is now and not as it was delivered.
    assert there.count("不送礼") == len(READY_MADE) - len(GIFTS)
    row = Journey.objects.get(made_as="join_gift")
    row.draft["steps"]["gift"]["with"]["points"] = 333
    row.save()
    there = words(client.get(INSTALL))
    assert "送 333 积分" in there
    assert "送 300 积分" in there
    assert "请至少选一个" in words(client.post(INSTALL, {}))


def test_whoever_installs_picks_which_and_what_they_give(cast: Cast, client: Client) -> None:
    batch = batch_of(make_batch(10))
    sent = {"codes": ["join_gift", "birthday", "nonsense"], "gift.join_gift": batch, "gift.birthday": ""}
    client.post(INSTALL, sent)
    gifts = {row.made_as: row for row in Journey.objects.all()}
    assert set(gifts) == {"join_gift", "birthday"}
    steps = gifts["join_gift"].draft["steps"]
    assert steps["gift"] == {"kind": "coupon", "with": {"batch": batch}, "next": "tell"}
    assert "积分" not in steps["tell"]["with"]["title"] + steps["guide"]["with"]["script"]
    assert gifts["birthday"].draft["steps"]["gift"]["kind"] == "points"


@pytest.mark.parametrize("gift", ["H4TBNW9CAYQ7M2KX", "x" * 300, "\0", "1"])
def test_a_batch_that_may_not_be_given_installs_nothing(cast: Cast, client: Client, gift: str) -> None:
    text = words(client.post(INSTALL, {"codes": ["welcome", "join_gift"], "gift.join_gift": gift}))
    assert "不允许系统发放" in text
    assert not Journey.objects.exists()


@pytest.mark.parametrize("code", GIFTS)
def test_each_gift_is_whole_as_a_coupon_and_comes_back_as_points(cast: Cast, code: str) -> None:
    [one] = [one for one in READY_MADE if one.code == code]
    batch = batch_of(make_batch(10))
    given, left = with_gift(code, one.definition, batch)
    assert (left, find_definition(given)[1], gift_in(code, given)) == ((), [], batch)
    assert with_gift(code, given, "") == (dict(one.definition), ())


def test_the_gift_is_changed_before_it_is_switched_on_and_own_words_stay(cast: Cast, client: Client) -> None:
    batch = batch_of(make_batch(10))
    journeys.install_ready_made(actor=BOSS, codes=["join_gift"])
    row = Journey.objects.get()
    steps = dict(row.draft["steps"])
    steps["guide"] = {**steps["guide"], "with": {**steps["guide"]["with"], "script": "我自己的话"}}
    Journey.objects.update(draft={**row.draft, "steps": steps})
    assert "现在送 200 积分" in words(client.get(page(row)))
    text = words(client.post(page(row, "gift"), {"gift": batch, "revision": "1"}, follow=True))
    assert "这几步的文案是您自己写的" in text
    assert "现在送券" in text
    row.refresh_from_db()
    assert gift_in("join_gift", row.draft) == batch
    assert row.draft["steps"]["guide"]["with"]["script"] == "我自己的话"
    assert row.draft["steps"]["tell"]["with"]["title"] == "入会礼券已到账"
    assert "别人刚刚改过" in words(client.post(page(row, "gift"), {"gift": "", "revision": "1"}, follow=True))
    journeys.start_journey(journey_id=row.pk, actor=BOSS)
    assert "送什么礼" not in words(client.get(page(row)))
    assert client.get(page(row, "gift")).status_code == 403


# Copies and versions --------------------------------------------------------------------------------------------


def test_a_copy_is_a_draft_of_its_own(cast: Cast, client: Client) -> None:
    row = fill_journeys(cast)
    for name in ("入会旅程（副本）", "入会旅程（副本 2）"):
        answer = client.post(page(row, "copy"))
        made = Journey.objects.get(name=name)
        assert answer["Location"] == page(made, "edit")
        assert (made.state, made.draft, made.made_as, made.version) == ("draft", DRAFT, "", None)
    assert Enrolment.objects.count() == 1
    long = journeys.create_journey(name="长" * 40, draft=DRAFT, actor=BOSS)
    assert len(journeys.copy_journey(journey_id=long.pk, actor=BOSS).name) == 40
    assert client.get(page(row, "copy")).status_code == 403


def test_what_a_version_changed_is_said_in_words_and_taken_back(cast: Cast, client: Client) -> None:
    first = definition({"gift": points(5, following="wait"), "wait": wait(3, "bye"), "bye": points(1)}, who={"all": [
        {"is": "members.following", "with": {}}]})  # fmt: skip
    row = start(first)
    changed = definition(
        {"gift": points(8, following="ask"), "ask": wait_event("bought", 7, "bye", "bye"), "bye": points(1)},
        exits=[{"on": "unfollowed"}],
    )
    change(row, changed)
    told = words(client.get(page(row, "compare"), {"from": "1", "to": "2"}))
    for said in (
        "谁能进",
        "不限",
        "什么时候退出",
        "送 5 积分",
        "送 8 积分",
        "新的第 2 步",
        "去掉的第 2 步",
        "等 3 天",
    ):
        assert said in told
    assert "送 1 积分" not in told, "the last step is the same"
    assert "没有不同" in words(client.get(page(row, "compare"), {"from": "2", "to": "2"}))
    assert words(client.get(page(row, "compare"), {"from": "99", "to": "\0"}))
    row.refresh_from_db()
    client.post(page(row, "restore", 1), {"revision": row.revision})
    shown = words(client.get(page(row)))
    assert "草稿里有还没发布的改动" in shown
    assert "放弃这些改动" in shown
    row.refresh_from_db()
    client.post(page(row, "restore", 2), {"revision": row.revision})
    assert "草稿里有还没发布的改动" not in words(client.get(page(row)))
    stale = client.post(page(row, "restore", 1), {"revision": "1"}, follow=True)
    assert "别人刚刚改过" in words(stale)
    assert "没有这个旅程" in words(client.post(page(row, "restore", 77), {"revision": "9"}, follow=True))


def test_a_draft_with_faults_is_not_compared_but_said(cast: Cast, client: Client) -> None:
    row = start(definition({"a": points(1)}))
    Journey.objects.update(draft={"steps": "x"})
    assert "改好才能对比" in words(client.get(page(row, "compare")))
    assert "改好才能发布和对比" in words(client.get(page(row)))


# Who is where ---------------------------------------------------------------------------------------------------


def test_who_is_at_a_step_is_looked_for_there(cast: Cast, client: Client) -> None:
    row = fill_journeys(cast)
    at = {"version": "1", "step": "wait"}
    assert "小美" in words(client.get(page(row), at | {"q": "小美"}))
    assert "没有找到这位会员" in words(client.get(page(row), at | {"q": "小丽"}))
    assert words(client.get(page(row), at | {"q": "\0'%" + "长" * 90}))
    listed = reverse("admin:campaigns_enrolment_changelist")
    key = Enrolment.objects.get().version_id
    assert "小美" in words(client.get(listed, {"at": f"{key}.wait"}))
    for nobody in (f"{key}.gift", "x.wait", "9" * 30, "1"):
        assert "小美" not in words(client.get(listed, {"at": nobody}))


def test_why_she_stands_there_is_told_from_her_coming_to_what_comes(cast: Cast, client: Client) -> None:
    fill_journeys(cast)
    enrolment = Enrolment.objects.get()
    told = words(client.get(reverse("admin:campaigns_enrolment_change", args=[enrolment.pk])))
    for said in (
        "为什么在这里", "由别的系统送进来", "事由 desk", "走过“送 10 积分”：做成了", "发生了的话：发消息：谢谢 → 走完",
        "没等到的话：送 10 积分",
    ):  # fmt: skip
        assert said in told
    Enrolment.objects.update(state="failed", code="error", attempt_count=9)
    told = words(client.get(reverse("admin:campaigns_enrolment_change", args=[enrolment.pk])))
    assert "试了 9 次都没做成" in told


def test_branches_say_their_conditions_in_the_picture(cast: Cast, client: Client) -> None:
    rule = {"any": [{"is": "members.following", "with": {}}, {"is": "guides.bound", "with": {}}]}
    steps = {
        "ask": {"kind": "branch_rule", "with": {"rule": rule}, "next": "gift"},
        "gift": wait(1, "bye"),
        "bye": points(2),
    }
    row = start(definition(steps))
    [enrolled] = enter(row, cast.xiaomei.id)
    run()
    text = words(client.get(page(row), {"version": "1", "step": "ask"}))
    assert "满足任意一个（" in text
    assert Enrolment.objects.get(pk=enrolled.pk).step == "gift"


def test_rights_of_the_desk_are_asked_for(cast: Cast, client: Client) -> None:
    row = fill_journeys(cast)
    cast.regional.user_permissions.add(*Permission.objects.filter(codename="view_journey"))
    client.force_login(cast.regional)
    assert client.get(page(row, "compare")).status_code == 200
    for name, *more in (("copy",), ("gift",), ("restore", 1)):
        assert client.post(page(row, name, *more), {"revision": "1"}).status_code == 403
    assert client.post(INSTALL, {"codes": ["welcome"]}).status_code in (302, 403)
    assert Journey.objects.count() == 1
    text = words(client.get(page(row), {"version": "1", "step": "wait"}))
    assert "小美" not in text
    assert "复制" not in text
