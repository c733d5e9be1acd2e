"""What to do with a reach in hand: let it be, let it wait, or send it over the first channel of its chain that can."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from campaigns.contracts import reaches as why
from campaigns.contracts import topics as names
from campaigns.models import ReachState, TopicTemplate, TopicText
from campaigns.selectors.standing import (
    SUBSCRIPTION_MAPPING,
    TEMPLATE_MAPPING,
    GrantKey,
    Standing,
)
from campaigns.services.rows import Held, Verdict
from sms import services as sms_services
from sms.contracts import SmsText
from sms.errors import TextUnfit
from wechat.contracts import REPEAT_SAFE_FOR, AccountCard
from wechat.errors import TemplateFieldUnfit
from wechat.services.templates import fit_fields


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Over which channel a reach goes, and what it needs there. `account_id` is 0 where WeChat is not asked."""

    held: Held
    channel: str
    member_id: int  # the living row
    account_id: int = 0
    openid: str = ""
    template_id: str = ""
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    page: str = ""
    mini_app_id: str = ""
    # The consent it rests on, and the same where it is used up: one to a lasting template holds for many messages.
    consent: GrantKey | None = None
    grant: GrantKey | None = None
    guide_id: int = 0
    phone: str = dataclasses.field(default="", repr=False)
    text: SmsText | None = None

    @property
    def lane(self) -> tuple[int, str, str]:
        """Ways of one lane share its rate and its halt."""
        return self.account_id, self.channel, "" if self.text is None else self.text.purpose

    @property
    def client_msg_id(self) -> str:
        """The same for every try of this reach: WeChat sends it once."""
        return hashlib.sha256(f"reach:{self.held.reason_key}".encode()).hexdigest()[:32]


def plan_reach(*, held: Held, standing: Standing, at: dt.datetime) -> Way | Verdict:
    """The way it goes, or what becomes of it without being sent. What was tried or passed over is noted on it."""
    if held.sent_at is not None:
        return _repeat(held, standing, at)
    verdict = _gate(held, standing, at)
    if verdict is not None:
        return verdict
    member_id = standing.living[held.member_id]
    while held.step < len(held.channels):
        channel = held.channels[held.step]
        if standing.tally.is_over(standing.policy.caps, member_id, channel, held.importance):
            held.note(channel, why.CAPPED, at)
            continue
        found = _WAYS[channel](held, member_id, standing, at)
        if isinstance(found, Way):
            standing.tally.add(member_id, channel, held.importance)
            if found.grant is not None:
                standing.grants[found.grant] -= 1
            return found
        held.note(channel, found, at)
    last = held.notes[-1] if held.notes else None
    return Verdict(
        held, ReachState.FAILED, last.code if last else why.NO_ACCOUNT, last.errcode if last else None
    )


def _repeat(held: Held, standing: Standing, at: dt.datetime) -> Way | Verdict:
    """A template message of which nobody knows whether it went: the same again while WeChat knows its id, never another
    way. Who was merged or erased meanwhile is not written to a second time."""
    over = Verdict(held, ReachState.UNCERTAIN, why.DIED, went=True, channel=held.channel)
    if held.sent_at is None or held.sent_at + REPEAT_SAFE_FOR <= at:
        return over
    member_id = standing.living.get(held.member_id)
    if member_id is None or held.channel != names.TEMPLATE:
        return over
    found = _template(held, member_id, standing, at)
    return found if isinstance(found, Way) else over


def _gate(held: Held, standing: Standing, at: dt.datetime) -> Verdict | None:
    """What stops it on every channel."""
    if held.expires_at <= at:
        return Verdict(held, ReachState.SKIPPED, why.EXPIRED)
    member_id = standing.living.get(held.member_id)
    if member_id is None or not held.content:
        return Verdict(held, ReachState.SKIPPED, why.MEMBER_GONE)
    terms = standing.terms.get(held.topic)
    if terms is None or not terms.is_on:
        return Verdict(held, ReachState.SKIPPED, why.TOPIC_OFF)
    if held.importance == "marketing" and member_id not in standing.agreed:
        return Verdict(held, ReachState.SKIPPED, why.NO_CONSENT)
    if held.importance == "normal" and member_id in standing.withdrawn:
        return Verdict(held, ReachState.SKIPPED, why.NO_CONSENT)
    if held.importance != "must" and standing.policy.quiet is not None:
        morning = standing.policy.quiet.end_of(at)
        if morning is not None and held.importance == "normal" and standing.is_up(member_id, at):
            return None
        if morning is not None and morning >= held.expires_at:
            return Verdict(held, ReachState.SKIPPED, why.EXPIRED)
        if morning is not None:
            return Verdict(held, ReachState.QUEUED, why.QUIET, not_before=morning)
    return None


def _subscription(held: Held, member_id: int, standing: Standing, at: dt.datetime) -> Way | str:
    """A subscribe message of the mini-program: as often as she agreed to it."""
    mini = standing.mini
    if mini is None:
        return why.NO_ACCOUNT
    mapping = standing.mappings.get((held.topic, SUBSCRIPTION_MAPPING, mini.id))
    if mapping is None:
        return why.NO_TEMPLATE
    hers = standing.mini_openids.get(member_id, [])
    if not hers:
        return why.NOT_KNOWN
    for openid in hers:
        grant = (mini.id, openid, mapping.template_id)
        if standing.grants.get(grant, 0) > 0:
            return _by_template(held, member_id, standing, mini, openid, mapping, consent=grant)
    return why.NO_GRANT


def _template(held: Held, member_id: int, standing: Standing, at: dt.datetime) -> Way | str:
    """A template message of the official account: to who follows it."""
    official = standing.official
    if official is None:
        return why.NO_ACCOUNT
    mapping = standing.mappings.get((held.topic, TEMPLATE_MAPPING, official.id))
    if mapping is None:
        return why.NO_TEMPLATE
    openid = _following(member_id, standing, official)
    if openid in (why.NOT_KNOWN, why.NOT_FOLLOWING, why.BARRED):
        return openid
    return _by_template(held, member_id, standing, official, openid, mapping)


def _by_template(
    held: Held,
    member_id: int,
    standing: Standing,
    account: AccountCard,
    openid: str,
    mapping: TopicTemplate,
    *,
    consent: GrantKey | None = None,
) -> Way | str:
    card = standing.templates.get((account.id, mapping.template_id))
    if card is None:
        return why.NO_TEMPLATE
    values = fill(mapping=mapping, held=held, member_name=standing.names.get(member_id, ""))
    try:
        fields = fit_fields(card, values)
    except TemplateFieldUnfit:
        return why.FIELD_UNFIT
    return Way(
        held=held,
        channel=mapping.kind,
        member_id=member_id,
        account_id=account.id,
        openid=openid,
        template_id=mapping.template_id,
        fields=fields,
        page=mapping.page or held.content["page"],
        mini_app_id="" if standing.mini is None else standing.mini.app_id,
        consent=consent,
        grant=None if card.is_lasting else consent,
    )


def fill(*, mapping: TopicTemplate | TopicText, held: Held, member_name: str) -> dict[str, str]:
    """What the template's keywords or places say; whoever sends makes it fit."""
    values = {
        "title": held.content["title"],
        "text": held.content["text"],
        "member": member_name,
        **held.content["values"],
    }
    return {
        keyword: values.get(source["value"], "") if "value" in source else source["words"]
        for keyword, source in mapping.fields.items()
    }


def _service_message(held: Held, member_id: int, standing: Standing, at: dt.datetime) -> Way | str:
    """A customer-service message: while she may be written to after an act of hers."""
    official = standing.official
    if official is None:
        return why.NO_ACCOUNT
    openid = _following(member_id, standing, official, opened_at=at)
    if openid in (why.NOT_KNOWN, why.NOT_FOLLOWING, why.BARRED, why.NO_WINDOW):
        return openid
    return Way(held, names.SERVICE_MESSAGE, member_id, official.id, openid)


def _following(
    member_id: int, standing: Standing, official: AccountCard, opened_at: dt.datetime | None = None
) -> str:
    """The openid under which she follows the account, with an open window if that is asked; or why there is none."""
    if (member_id, official.id) in standing.barred:
        return why.BARRED
    hers = standing.openids.get(member_id, [])
    known = [(openid, standing.followers[openid]) for openid in hers if openid in standing.followers]
    following = [(openid, found) for openid, found in known if found.is_following]
    if not following:
        return why.NOT_FOLLOWING if hers else why.NOT_KNOWN
    if opened_at is None:
        return following[0][0]
    for openid, found in following:
        if found.window_until is not None and found.window_until > opened_at:
            return openid
    return why.NO_WINDOW


def _sms(held: Held, member_id: int, standing: Standing, at: dt.datetime) -> Way | str:
    """A text message: costs money, and is there for those whom nothing in WeChat reaches. Marketing goes by a template
    that says how to refuse it, and only such go to who agreed."""
    texts = standing.texts
    if not texts.is_on:
        return why.SMS_OFF
    mapping = texts.mappings.get(held.topic)
    if mapping is None:
        return why.NO_TEXT
    card = texts.cards.get(mapping.template_id)
    if card is None or card.trouble:
        return why.TEXT_UNUSABLE
    if held.importance == "marketing" and not (card.purpose == "marketing" and card.has_opt_out):
        return why.NO_OPT_OUT
    if card.purpose == "marketing" and member_id not in standing.agreed:
        return why.NO_CONSENT
    phone = texts.phones.get(member_id)
    if phone is None:
        return why.NO_PHONE
    if member_id in texts.blocked:
        return texts.blocked[member_id]
    values = fill(mapping=mapping, held=held, member_name=standing.names.get(member_id, ""))
    try:
        text = sms_services.fill_text(
            card, [values.get(str(gap), "") for gap in range(1, card.gap_count + 1)]
        )
    except TextUnfit:
        return why.FIELD_UNFIT
    if held.held_hundredths is not None and sms_services.cost_of(text) > held.held_hundredths:
        return why.NO_MONEY
    return Way(held, names.SMS, member_id, phone=phone, text=text)


def _follow_up(held: Held, member_id: int, standing: Standing, at: dt.datetime) -> Way | str:
    guide_id = standing.guides.get(member_id)
    return why.NO_GUIDE if guide_id is None else Way(held, names.FOLLOW_UP, member_id, guide_id=guide_id)


def _inbox(held: Held, member_id: int, standing: Standing, at: dt.datetime) -> Way | str:
    """Only who has ever opened the mini-program would find it."""
    return Way(held, names.INBOX, member_id) if standing.mini_openids.get(member_id) else why.NO_MINI


_WAYS: Final[Mapping[str, Callable[[Held, int, Standing, dt.datetime], Way | str]]] = {
    names.SUBSCRIPTION: _subscription,
    names.TEMPLATE: _template,
    names.SERVICE_MESSAGE: _service_message,
    names.SMS: _sms,
    names.FOLLOW_UP: _follow_up,
    names.INBOX: _inbox,
}
