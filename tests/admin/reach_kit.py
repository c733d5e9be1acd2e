"""Reaches of 小美 for the pages of the admin."""

import datetime as dt

from campaigns import services
from campaigns.contracts import MassDraft, ReachOrder
from campaigns.contracts.campaigns import CampaignDraft, VariantDraft
from campaigns.models import CampaignPolicy, InboxMessage, ReachPolicy
from campaigns.services.mapping import map_topic
from campaigns.services.policy import set_topic_rule
from campaigns.services.running import release_batch
from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.contracts import FollowUpOrder
from members.models import Member
from tests.campaigns import run_kit
from tests.campaigns.kit import make_template
from tests.cast import Cast
from wechat.contracts import MassContent
from wechat.models import FollowerTag

ACT = {"do": "reach", "with": {"title": "双十二预热", "text": "满 300 减 60"}}


def fill_campaigns(cast: Cast) -> None:
    """A campaign that waits for approval, and the chain's rules for campaigns."""
    CampaignPolicy.objects.create(pk=1, earliest=dt.time(9), latest=dt.time(21), month_days=[8, 18, 28])
    starts_at = clock.now() + dt.timedelta(days=2)
    pk = services.create_campaign(
        draft=CampaignDraft(
            name="双十二预热",
            kind="reach",
            segment=services.create_list(
                name="活动名单", member_ids=[cast.xiaomei.id], actor=Actor.system("desk")
            ),
            starts_at=starts_at,
            ends_at=starts_at + dt.timedelta(days=2),
            variants=(VariantDraft(1, [ACT]),),
        ),
        actor=Actor.staff(cast.head_office.pk, "总部"),
    )
    services.submit_campaign(campaign_id=pk, revision=1, actor=Actor.staff(cast.head_office.pk, "总部"))


def fill_reaches(cast: Cast) -> None:
    """One waits, a message lies in her inbox, her guide has something to do, a topic has a rule."""
    ReachPolicy.objects.get_or_create(
        pk=1, defaults={"quiet_from": dt.time(22), "quiet_until": dt.time(8)}
    )  # the migration's own may have been emptied away
    services.reach_member(
        order=ReachOrder(
            member_id=cast.xiaomei.id,
            topic="coupon_expiring",
            reason_key="desk",
            title="券快到期了",
            text="您有 2 张券用到 12 月 1 日为止。",
        )
    )
    InboxMessage.objects.create(
        member_id=cast.xiaomei.id,
        topic="sale",
        title="购物通知",
        text="您在南京东路店消费了 ¥199。",
        reason_key="desk",
        sent_at=clock.now(),
    )
    guide_services.assign_follow_ups(
        orders=[
            FollowUpOrder(
                member_id=cast.xiaomei.id,
                topic="coupon_expiring",
                title="券快到期了",
                script="提醒她有 2 张券。",
                due_on=clock.today() - dt.timedelta(days=1),
                source_key="desk",
            )
        ]
    )
    set_topic_rule(
        topic="sale",
        is_on=True,
        importance="normal",
        channels=["template", "inbox"],
        actor=Actor.system("desk"),
    )
    fill_mass(cast)
    fill_run(cast)
    template = make_template(cast.account_id, "tpl-desk")
    map_topic(
        topic="coupon_expiring",
        template_pk=template.pk,
        fields=None,
        page="pages/coupons",
        is_on=True,
        actor=Actor.system("desk"),
    )


def fill_mass(cast: Cast) -> None:
    """A mass message to her, of whose list a line is nobody."""
    services.save_mass_message(
        draft=MassDraft(
            account_id=cast.account_id,
            name="周年庆",
            content=MassContent("text", text="周年庆开始了"),
            audience="list",
            member_ids=[cast.xiaomei.id],
            list_name="老客.xlsx",
            bad_lines={3: "unknown"},
        ),
        actor=Actor.system("desk"),
    )


def fill_run(cast: Cast) -> None:
    """A campaign that runs, with her in it."""
    campaign = run_kit.make_campaign(run_kit.listed([cast.xiaomei.id]))
    run_kit.launch(campaign)
    release_batch(campaign_id=campaign.pk)


def fill_rounds(cast: Cast, tag_id: int) -> None:
    """Staff gave 小美 to her guide; she is on a list; her tag is pushed to WeChat."""
    actor = Actor.system("desk")
    services.create_list(name="老客名单", member_ids=[cast.xiaomei.id], actor=actor)
    guide_services.give_follow_ups(
        members=Member.objects.filter(pk=cast.xiaomei.id),
        title="春装到店",
        script="来试试吗？",
        due_on=clock.today(),
        request_key="desk",
        actor=actor,
    )
    tag = FollowerTag.objects.create(
        account_id=cast.account_id, wechat_tag_id=101, name="敏感肌", synced_at=clock.now()
    )
    guide_services.link_tags(member_tag_id=tag_id, follower_tag_id=tag.pk, direction="push", actor=actor)
