"""A campaign in words and pictures: whom it reaches and why fewer, what it costs, how it looks on a phone."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS
from campaigns.contracts.acts import Act
from campaigns.contracts.campaigns import AudienceSight, CampaignDraft, CampaignEstimate
from campaigns.contracts.faults import FAULTS
from campaigns.errors import SegmentTooSlow
from campaigns.models import Campaign, CampaignGoal, CampaignKind, CampaignMove, Segment, TopicTemplate
from campaigns.selectors.acts import PLACE, act_of, describe_act
from campaigns.selectors.campaigns import (
    VariantActs,
    acts_of,
    channels_of,
    draft_of,
    estimate_campaign,
    sight_audience,
)
from campaigns.selectors.campaigns.kept import unpack_draft
from campaigns.selectors.campaigns.times import recurrence_of
from campaigns.selectors.text_standing import live_topic_texts
from campaigns.services.previewing import PreviewLine, preview_mapping, sample_of
from core.admin import cost_words, money, thousands, when
from coupons.selectors.goods import GOODS
from guides import selectors as guide_selectors
from members.selectors.conditions import name_keys
from sms import services as sms_services
from sms import wording
from wechat.contracts import TemplateCard
from wechat.services.templates import find_template

TOPIC: Final = "marketing"
CODE_WORDS: Final = {
    "dropped": _("草稿作废"),
    "missed": _("到截止时间还没有开始过"),
    "budget": _("预算用完，加预算后接着发"),
    "nobody": _("人群里一个会员也没有，改好人群或名单后点继续"),
    "segment_gone": _("人群已停用"),
    "segment_too_slow": _("人群没有在限定时间内算完"),
    "late": _("过了截止时间"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class PhoneSight:
    """One version on one channel. `card` with `lines` for templates, `title` and `text` for the rest."""

    channel: str
    label: str
    title: str = ""
    text: str = ""
    card: TemplateCard | None = None
    lines: tuple[PreviewLine, ...] = ()
    missing: str = ""
    is_open: bool = False


def audience_lines(
    campaign: Campaign,
    sight: AudienceSight | None,
    estimate: CampaignEstimate,
    variants: VariantActs | None = None,
) -> list[tuple[str, str]]:
    """How many she would reach now, and why fewer; then what it costs against the budget."""
    variants = acts_of(campaign) if variants is None else variants
    if sight is None:
        return [(_now("人数"), _now("没有在 5 秒内算完，请稍后再看"))]
    if not sight.member_count:
        return [(_now("人群里、属于这个范围的会员"), "0"), (str(FAULTS["nobody"]), "")]
    lines = [
        (_now("人群里、属于这个范围的会员"), thousands(sight.member_count)),
        (_now("其中对照组（什么都收不到）"), thousands(sight.control_count)),
    ]
    if sight.channels:
        refused = sight.member_count - sight.agreed_count
        lost = sight.agreed_count - sight.capped_count - sight.reached_count
        lines += [
            (_now("没有同意接收营销信息"), thousands(refused)),
            (_now("今天已到频次上限"), thousands(sight.capped_count)),
            (_now("没有可用的通道"), thousands(lost)),
            (_now("现在发能收到消息（含对照组）"), thousands(sight.reached_count)),
        ]
        lines += [
            (_now("　先走%(channel)s") % {"channel": CHANNEL_LABELS[one.channel]}, thousands(one.first_count))
            for one in sight.channels
        ]
    if any(act.kind == "follow_up" for _weight, acts in variants for act in acts):
        lines.append((_now("有在职专属导购"), thousands(sight.guided_count)))
    return [*lines, *cost_lines(campaign, estimate)]


def cost_lines(campaign: Campaign, estimate: CampaignEstimate) -> list[tuple[str, str]]:
    """What a run costs at most, and what the budget says."""
    if estimate.member_count is None:
        return []
    lines = []
    if estimate.coupon_fen:
        lines.append((_now("券全部核销最多"), f"¥{money(estimate.coupon_fen)}"))
    if estimate.text_fen:
        lines.append((_now("短信最多"), f"¥{money(estimate.text_fen)}"))
    budget = _now("不限") if campaign.budget_fen is None else f"¥{money(campaign.budget_fen)}"
    lines.append((_now("预算"), budget))
    if campaign.budget_fen is not None and estimate.cost_fen > campaign.budget_fen:
        short = estimate.cost_fen - campaign.budget_fen
        lines.append((_now("预算不够"), _now("差 ¥%(short)s，用完时自动暂停") % {"short": money(short)}))
    return lines


def used_words(campaign: Campaign) -> str:
    """What of the budget is gone, and how much of that is only put by; nothing before it began."""
    if not campaign.used_hundredths and campaign.budget_fen is None:
        return ""
    words = _now("已用 ¥%(used)s") % {"used": money(campaign.used_fen)}
    if campaign.budget_fen is not None:
        words = _now("预算 ¥%(budget)s，%(used)s") % {"budget": money(campaign.budget_fen), "used": words}
    if campaign.held_hundredths:
        held = _now("其中 %(held)s 是给在途消息留的短信费") % {"held": cost_words(campaign.held_hundredths)}
        words = f"{words}，{held}"
    return words


def sight_of(
    campaign: Campaign, variants: VariantActs | None = None
) -> tuple[AudienceSight | None, CampaignEstimate]:
    """Numbers of now; None when counting takes longer than a page waits."""
    try:
        sight = sight_audience(campaign, variants=variants)
    except SegmentTooSlow:
        return None, CampaignEstimate(None)
    return sight, estimate_campaign(campaign, sight=sight, variants=variants)


# On a phone -------------------------------------------------------------------------------------------------------


def phones_of(acts: Sequence[Act]) -> list[PhoneSight]:
    """How the acts of one version look to who gets them, channel by channel."""
    found: list[PhoneSight] = []
    for act in acts:
        if act.kind == "reach":
            found += _messages(act)
        elif act.kind == "follow_up":
            title, text = _said(act.values["title"]), _said(act.values["script"])
            days = _now("%(n)s 天内完成") % {"n": act.values["days"]}
            found.append(PhoneSight("follow_up", _now("导购助手里的任务"), f"{title} · {days}", text))
    first = next((place for place, sight in enumerate(found) if not sight.missing), None)
    return [dataclasses.replace(sight, is_open=place == first) for place, sight in enumerate(found)]


def _messages(act: Act) -> Iterator[PhoneSight]:
    title, text = _said(act.values["title"]), _said(act.values["text"])
    cards = {row.kind: row for row in TopicTemplate.objects.filter(topic=TOPIC, is_on=True)}
    for channel in channels_of([act]):
        label = str(CHANNEL_LABELS[channel])
        if channel in ("subscription", "template"):
            yield _by_template(channel, label, cards.get(channel), title, text)
        elif channel == "sms":
            yield _by_text(label, title, text)
        else:
            yield PhoneSight(channel, label, title, text)


def _by_template(channel: str, label: str, row: TopicTemplate | None, title: str, text: str) -> PhoneSight:
    card = None if row is None else find_template(account_id=row.account_id, template_id=row.template_id)
    if row is None or card is None:
        missing = _now("“通知模板”里还没有给营销活动配%(label)s，这个通道会跳过") % {"label": label}
        return PhoneSight(channel, label, missing=missing)
    said = {"title": title, "text": text}
    return PhoneSight(
        channel,
        label,
        card=card,
        lines=preview_mapping(topic=TOPIC, card=card, fields=row.fields, said=said),
    )


def _by_text(label: str, title: str, text: str) -> PhoneSight:
    row = live_topic_texts().get(TOPIC)
    if row is None or not sms_services.is_set_up():
        return PhoneSight("sms", label, missing=_now("“短信内容”里还没有给营销活动配短信，这个通道会跳过"))
    card = sms_services.get_text(row.template_id)
    gaps = [
        _gap(row.fields.get(str(gap), {}), title, text)[: card.gap_limit]
        for gap in range(1, card.gap_count + 1)
    ]
    whole = wording.fill(card.text, card.sign, gaps)
    count = _now("%(length)s 个字，按 %(count)s 条计费") % {
        "length": len(whole),
        "count": wording.count_segments(whole),
    }
    return PhoneSight("sms", label, title=count, text=whole)


def _gap(source: dict[str, str], title: str, text: str) -> str:
    if "value" not in source:
        return source.get("words", "")
    said = {"title": title, "text": text}
    return said.get(source["value"]) or sample_of(topic=TOPIC, value=source["value"], is_long=False)


def _said(words: str) -> str:
    return PLACE.sub(lambda found: sample_of(topic=TOPIC, value=found[1], is_long=False), words)


# What changed ------------------------------------------------------------------------------------------------------


def content_lines(draft: CampaignDraft) -> list[tuple[str, str]]:
    """Everything that a draft says, one line a thing: what an approver reads, and what two revisions are compared by."""
    stores, regions, _dealers = guide_selectors.list_place_names(
        store_ids=[] if draft.store_id is None else [draft.store_id],
        region_ids=[] if draft.region_id is None else [draft.region_id],
    )
    place = next(iter(stores.values()), "") or next(iter(regions.values()), "") or _now("全国（总部）")
    names = dict(
        Segment.objects.filter(public_id__in=[draft.segment, draft.excluded_segment]).values_list(
            "public_id", "name"
        )
    )
    rule = recurrence_of(draft.recurrence)
    lines = [
        (_now("名称"), draft.name),
        (_now("说明"), draft.note or "—"),
        (_now("类型"), str(CampaignKind(draft.kind).label)),
        (_now("范围"), place),
        (_now("发给"), names.get(draft.segment, "—")),
        (_now("排除"), names.get(draft.excluded_segment, "—")),
        (_now("开始"), when(draft.starts_at)),
        (_now("截止"), when(draft.ends_at)),
        (_now("重复"), _now("只做一次") if rule is None else rule.words()),
        (_now("每天发送时间"), f"{draft.send_from:%H:%M} – {draft.send_until:%H:%M}"),
        (_now("目标"), str(CampaignGoal(draft.goal).label)),
        (_now("怎么算"), measure_words(draft)),
        (_now("对照组"), f"{draft.holdout_bp / 100:g}%"),
        (_now("预算"), _now("不限") if draft.budget_fen is None else f"¥{money(draft.budget_fen)}"),
    ]
    whole = sum(one.weight for one in draft.variants) or 1
    for letter, one in zip("ABCDE", draft.variants, strict=False):
        share = f"{one.weight / whole:.0%}"
        said = "；".join(act_words(act_of(act)) for act in one.acts)
        lines.append((_now("版本 %(letter)s") % {"letter": letter}, f"{share} · {said or '—'}"))
    return lines


def act_words(act: Act) -> str:
    """An act with all that is said in it."""
    words = describe_act(act)
    text = act.values.get("text") or act.values.get("script")
    if text:
        words = f"{words}「{text}」"
    if act.values.get("channels"):
        labels = "、".join(str(CHANNEL_LABELS[one]) for one in act.values["channels"])
        words = f"{words}（{labels}）"
    return words


def measure_words(draft: CampaignDraft) -> str:
    """Whose purchases count."""
    told = [_now("发出后 %(n)s 天内") % {"n": draft.window_days}]
    for what, words in (("categories", _now("类目 %(names)s")), ("products", _now("商品 %(names)s"))):
        codes = draft.measure.get(what, ())
        if codes:
            names = name_keys(GOODS, what, codes)
            told.append(words % {"names": "、".join(names.get(code, code) for code in codes)})
    if draft.measure.get("least_fen"):
        told.append(_now("至少 ¥%(least)s") % {"least": money(draft.measure["least_fen"])})
    return "，".join(told)


def changed_lines(campaign: Campaign) -> tuple[dt.datetime | None, list[tuple[str, str, str]]]:
    """When it was approved the last time, and what was otherwise then: (what, then, now)."""
    last = CampaignMove.objects.filter(campaign=campaign, content__isnull=False).order_by("-pk").first()
    if last is None or last.content is None:
        return None, []
    before: dict[str, str] = dict(content_lines(unpack_draft(last.content)))
    now = dict(content_lines(draft_of(campaign)))
    names = [*now, *(name for name in before if name not in now)]
    return last.at, [
        (name, before.get(name, "—"), now.get(name, "—"))
        for name in names
        if before.get(name) != now.get(name)
    ]


def life_of(campaign: Campaign) -> list[tuple[CampaignMove, str, str]]:
    """Its moves, newest first, each with who it was and what was said."""
    moves = CampaignMove.objects.filter(campaign=campaign).order_by("-pk")
    return [
        (
            move,
            move.actor if move.actor_id is not None else _now("系统"),
            str(CODE_WORDS.get(move.note, move.note)),
        )
        for move in moves
    ]


def place_words(campaign: Any) -> str:
    """Whose it is."""
    return str(campaign.store or campaign.region or _now("全国"))
