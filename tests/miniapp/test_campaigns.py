"""A campaign's page: hers alone, its first opening counted, its coupon while she has it."""

import json
from typing import Any

import pytest

from campaigns.models import Campaign, CampaignMember, CampaignRun, Reach
from campaigns.selectors.campaign_clicks import click_token, find_place_id
from coupons.models import CouponBatch
from members.models import Member
from tests.campaigns.run_kit import REACH, launch, listed, make_campaign, work
from tests.coupons.kit import make_batch, make_members
from tests.miniapp.kit import API, Mini, Phone, codes

UNKNOWN = "2222222222222222"
NOT_THERE = (404, "campaigns.no_such_campaign_page")


def member_of(phone: Phone) -> int:
    pk: int = Member.objects.get(public_id=phone.get("/profile").data["id"]).pk
    return pk


def given(phone: Phone) -> CampaignMember:
    """She has a coupon and a message of a campaign."""
    coupon = {"do": "coupon", "with": {"batch": CouponBatch.objects.get(pk=make_batch(10)).public_id}}
    campaign = make_campaign(listed([member_of(phone), *make_members(1)]), [[coupon, REACH]])
    work(campaign)
    return CampaignMember.objects.get(member_id=member_of(phone))


def test_she_opens_it_from_her_message_and_counts_once(phone: Phone) -> None:
    place = given(phone)
    [reach] = Reach.objects.filter(member_id=place.member_id)
    token = json.loads(reach.content)["page"].partition("pages/campaign?c=")[2]
    assert token == click_token(place.pk)
    for _turn in range(2):
        page = phone.post("/campaigns/open", {"token": token}).data
        assert (page["title"], page["name"]) == ("秋装上新", "秋季上新")
        assert page["coupon"]["state"] == "issued"
        assert page["text"] == json.loads(reach.content)["text"], "what she was told, by her name"
        assert "{" not in page["text"]
    assert CampaignRun.objects.get().clicked_count == 1
    assert CampaignMember.objects.filter(clicked_at__isnull=False).count() == 1
    assert phone.get(f"/campaigns/{page['id']}").data == page
    CampaignMember.objects.update(reach_id=None)
    assert phone.get(f"/campaigns/{page['id']}").data["text"] == "会员，来看看", "her message is kept no more"


def test_the_phone_in_the_sandbox_opens_her_page_and_not_anothers(
    mini: Mini, phone: Phone, live_server: Any
) -> None:
    """The sandbox's front end, our server and WeChat's login, each over HTTP."""
    place = given(phone)
    [reach] = Reach.objects.filter(member_id=place.member_id)
    page = json.loads(reach.content)["page"]
    mini.script("PATCH", f"/accounts/{mini.app_id}", api_url=f"{live_server.url}{API}")
    shown = mini.act(phone.person, "open", page=page)["campaign"]
    assert (shown["title"], shown["text"]) == ("秋装上新", json.loads(reach.content)["text"])
    assert (shown["coupon"]["state"], shown["coupon"]["state_label"]) == ("issued", "可用")
    assert CampaignRun.objects.get().clicked_count == 1
    shown = mini.act(mini.person("小丽"), "open", page=page)["campaign"]
    assert (shown["refused"], shown["coupon"]) == ("没有这个活动，可能已经结束，或不是给您的", None)
    assert CampaignRun.objects.get().clicked_count == 1


def test_another_cannot_open_it_and_cannot_tell_it_from_none(mini: Mini, phone: Phone) -> None:
    place = given(phone)
    public_id = Campaign.objects.get().public_id
    token = click_token(place.pk)
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "x" * 20,
        "é" * 20,
        "short",
        click_token(10**9),
    ]
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    answers = [stranger.post("/campaigns/open", {"token": one}) for one in (token, *forged)]
    answers += [phone.post("/campaigns/open", {"token": one}) for one in forged]
    answers += [stranger.get(f"/campaigns/{one}") for one in (public_id, UNKNOWN)]
    assert {codes(answer) for answer in answers} == {NOT_THERE}
    assert CampaignRun.objects.get().clicked_count == 0


def test_who_got_nothing_has_no_page(phone: Phone) -> None:
    campaign = make_campaign(listed([member_of(phone)]), holdout_bp=5_000)
    launch(campaign)
    place = CampaignMember.objects.get()
    for state, letter in (("control", ""), ("waiting", "A"), ("refused", "A")):
        CampaignMember.objects.update(state=state, letter=letter)
        assert codes(phone.get(f"/campaigns/{campaign.public_id}")) == NOT_THERE
        assert codes(phone.post("/campaigns/open", {"token": click_token(place.pk)})) == NOT_THERE


@pytest.mark.parametrize("place_id", [1, 255, 10**9, 2**47])
def test_a_token_is_read_back_and_no_other_is(place_id: int) -> None:
    token = click_token(place_id)
    assert (len(token), find_place_id(token)) == (20, place_id)
    for at in range(20):
        other = "A" if token[at] != "A" else "B"
        assert find_place_id(token[:at] + other + token[at + 1 :]) is None
