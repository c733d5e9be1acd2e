"""Texts in a campaign's budget: put by when a message is queued, spent as they are billed, given back where none went."""

import datetime as dt

from campaigns import services
from campaigns.models import Campaign, CampaignRun, Reach
from campaigns.selectors.campaigns import estimate_campaign
from campaigns.selectors.proof import get_proof
from campaigns.services.running import follow_campaigns, settle_campaigns
from core import clock
from core.models import StaffAccount
from members import selectors as member_selectors
from members import services as member_services
from sms.models import SmsSpend, SmsTemplate
from sms.models.reports import BlockReason
from sms.services.blocks import block_number
from tests.campaigns.budget_kit import PRICE, TEXT, crowd, launched, release, stand
from tests.campaigns.campaign_kit import of
from tests.campaigns.kit import tries_of
from tests.campaigns.run_kit import assert_adds_up, listed, make_campaign, states
from tests.campaigns.text_kit import Desk
from tests.cast import DIRECTOR
from tests.threads import at_once


def test_texts_are_put_by_then_spent_and_a_budget_that_is_used_up_waits_for_more(texted: Desk) -> None:
    campaign = launched(crowd(8), budget_fen=25 + 4)
    assert release(campaign).count == 5
    assert stand(campaign) == ("running", "", 0, 5 * PRICE)
    # All that is left is put by: nothing is decided before it is known what the texts cost.
    assert release(campaign).is_full
    services.send_due_reaches()
    assert set(Reach.objects.values_list("channel", "cost_hundredths")) == {("sms", PRICE)}
    assert release(campaign).count == 0
    assert stand(campaign) == ("paused", "budget", 5 * PRICE, 0)
    assert campaign.used_fen == 25
    boss = of(StaffAccount.objects.create_superuser("boss"))
    assert services.raise_budget(campaign_id=campaign.pk, budget_fen=4_000, note="再加一点", actor=boss)
    assert release(campaign).count == 3
    services.send_due_reaches()
    release(campaign)
    [run] = CampaignRun.objects.all()
    assert (run.state, run.text_hundredths) == ("released", 8 * PRICE)
    assert stand(campaign) == ("running", "", 8 * PRICE, 0)
    assert_adds_up(run)
    # The page of costs, the run and the report say the same.
    assert SmsSpend.objects.get(purpose="marketing").cost_hundredths == 8 * PRICE
    services.work_outcomes()
    report = get_proof(campaign.pk)
    assert report.treated.cost_hundredths == 8 * PRICE


def test_what_went_by_another_channel_is_given_back_and_pays_for_the_next(texted: Desk) -> None:
    """There is money for two texts at a time; four of thirty have a phone, and three of these want no texts."""
    members = crowd(30, phoned=4)
    for phone in member_selectors.list_phones(members[:3]).values():
        block_number(phone=phone, reason=BlockReason.OPTED_OUT, at=clock.now())
    campaign = launched(members, budget_fen=10)
    while release(campaign).count:
        assert stand(campaign)[3] <= 10 * 100
        services.send_due_reaches()
    [run] = CampaignRun.objects.all()
    assert (run.state, states(run)) == ("released", {"done": 30})
    assert stand(campaign) == ("running", "", PRICE, 0)
    channels = list(Reach.objects.values_list("channel", flat=True))
    assert (channels.count("sms"), channels.count("inbox"), len(channels)) == (1, 0, 30)


def test_a_message_that_may_need_two_parts_gives_one_back(texted: Desk) -> None:
    long = "秋" * 55 + "{1}。拒收请回复R"
    SmsTemplate.objects.filter(pk=texted.marketing.pk).update(text=long)
    texted.provider.set_up(templates={"1003": long})
    campaign = launched(crowd(2), budget_fen=100)
    release(campaign)
    assert stand(campaign)[3] == 2 * 2 * PRICE, "the longest title would make two parts"
    services.send_due_reaches()
    settle_campaigns()
    assert stand(campaign)[2:] == (2 * PRICE, 0)


def test_no_text_goes_that_is_dearer_than_what_was_put_by(texted: Desk) -> None:
    campaign = launched(crowd(1), budget_fen=100)
    release(campaign)
    long = "秋" * 80 + "{1}。拒收请回复R"
    SmsTemplate.objects.filter(pk=texted.marketing.pk).update(text=long)
    texted.provider.set_up(templates={"1003": long})
    services.send_due_reaches()
    [reach] = Reach.objects.all()
    assert (reach.channel, tries_of(reach)[0]) == ("", ("sms", "no_money"))
    settle_campaigns()
    assert stand(campaign)[2:] == (0, 0)


def test_what_a_dead_sender_may_have_sent_is_spent(texted: Desk) -> None:
    campaign = launched(crowd(2), budget_fen=100)
    release(campaign)
    dead, queued = Reach.objects.order_by("pk")
    Reach.objects.filter(pk=dead.pk).update(
        state="sending",
        channel="sms",
        sent_at=clock.now(),
        leased_until=clock.now() - dt.timedelta(seconds=1),
    )
    services.send_due_reaches()
    dead.refresh_from_db()
    queued.refresh_from_db()
    assert (dead.state, dead.cost_hundredths) == ("uncertain", PRICE)
    assert (queued.state, queued.cost_hundredths) == ("sent", PRICE)
    settle_campaigns()
    assert stand(campaign)[2:] == (2 * PRICE, 0)
    assert sum(SmsSpend.objects.values_list("cost_hundredths", flat=True)) == 2 * PRICE


def test_what_the_provider_bills_beyond_that_is_booked_though_no_budget_held_it(texted: Desk) -> None:
    campaign = launched(crowd(1), budget_fen=5)
    release(campaign)
    services.send_due_reaches()
    Reach.objects.update(cost_hundredths=3 * PRICE)
    settle_campaigns()
    assert stand(campaign)[2:] == (3 * PRICE, 0)
    assert (campaign.over_hundredths, campaign.used_fen) == (2 * PRICE, 15)
    settle_campaigns()
    assert stand(campaign)[2:] == (3 * PRICE, 0)


def test_a_message_that_may_come_back_from_wechat_keeps_what_is_put_by_for_an_hour(texted: Desk) -> None:
    campaign = launched(crowd(1), budget_fen=100)
    release(campaign)
    now = clock.now()
    Reach.objects.update(state="sent", channel="template", sent_at=now, finished_at=now)
    settle_campaigns()
    assert stand(campaign)[3] == PRICE
    settle_campaigns(at=now + dt.timedelta(minutes=61))
    assert stand(campaign)[2:] == (0, 0)
    # It comes back after that: nothing is put by any more, and no text goes.
    Reach.objects.update(state="queued", channel="", sent_at=None, finished_at=None, not_before=now)
    services.send_due_reaches()
    assert tries_of(Reach.objects.get())[0] == ("sms", "no_money")


def test_a_run_that_stood_still_for_months_gives_back_what_its_last_messages_had_put_by(texted: Desk) -> None:
    campaign = launched(crowd(2), budget_fen=4_000)
    assert release(campaign).count == 2
    CampaignRun.objects.update(launched_at=clock.now() - dt.timedelta(days=100))
    services.send_due_reaches()
    settle_campaigns()
    assert stand(campaign)[2:] == (2 * PRICE, 0)


def test_a_stop_an_erasure_and_a_merge_in_mid_send_give_back_what_is_put_by(texted: Desk) -> None:
    members = crowd(6)
    campaign = launched(members, budget_fen=100)
    assert release(campaign).count == 6
    member_services.erase_member(member_id=members[0], reason="own_wish", actor=DIRECTOR)
    member_services.merge_members(
        first_id=members[1], second_id=members[2], survivor_id=members[2], actor=DIRECTOR
    )
    settle_campaigns()
    assert stand(campaign)[2:] == (0, 5 * PRICE), "two of them are hers now, and both may go"
    Campaign.objects.update(state="ended", ended_at=clock.now())
    follow_campaigns()
    settle_campaigns()
    assert stand(campaign) == ("ended", "", 0, 0)
    services.send_due_reaches()
    assert {row.state for row in Reach.objects.all()} == {"skipped"}


def test_many_releasers_senders_and_settlers_spend_no_more_than_there_is(texted: Desk) -> None:
    campaign = launched(crowd(40), budget_fen=13 * 5 + 4)

    def run() -> None:
        for _round in range(12):
            release(campaign)
            services.send_due_reaches()

    answers = at_once([run] * 4)
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    services.send_due_reaches()
    release(campaign)
    assert stand(campaign) == ("paused", "budget", 13 * PRICE, 0)
    assert Reach.objects.filter(channel="sms", state="sent").count() == 13
    assert_adds_up(CampaignRun.objects.get())


def test_the_preview_reckons_with_the_dearest_text(texted: Desk) -> None:
    long = "秋" * 55 + "{1}。拒收请回复R"
    campaign = make_campaign(listed(crowd(4, phoned=3)), [[TEXT]])
    assert estimate_campaign(campaign).text_fen == 3 * PRICE // 100
    SmsTemplate.objects.filter(pk=texted.marketing.pk).update(text=long)
    assert estimate_campaign(campaign).text_fen == 6 * PRICE // 100
