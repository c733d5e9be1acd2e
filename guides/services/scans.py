"""Scans of channel codes: what comes of them, and what she is told."""

import datetime as dt
from typing import Final, get_args

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit, clock, events
from core.actor import Actor
from guides.contracts import ScanOutcomeKind, ScanResult
from guides.errors import RequestKeyReused
from guides.events import ChannelScanned
from guides.models import (
    Binding,
    BindingPolicy,
    BindingSource,
    ChannelCode,
    ChannelScan,
    CodeKind,
    Guide,
    GuideRole,
    GuideState,
    ScanOutcome,
    Store,
)
from guides.selectors.people import get_guide_card
from guides.services import policy
from guides.services.bindings import end_binding, lock_live, open_binding
from guides.services.words import place_of
from members import selectors as member_selectors
from members import services as member_services
from wechat.services import followers, outbox

_REASONS: Final[dict[str, Promise]] = {
    "guide_left": gettext_lazy("原导购已离职"),
    "last_scan_wins": gettext_lazy("以最后一次扫码为准"),
    "protection_over": gettext_lazy("保护期已过"),
}
_OUTCOMES: Final[dict[str, ScanOutcomeKind]] = {kind: kind for kind in get_args(ScanOutcomeKind)}


def resolve_scan(
    *,
    member_id: int,
    scene: str,
    is_new_follower: bool,
    request_key: str,
    is_mini_program: bool = False,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ScanResult:
    """The scan is on record with its outcome, counted on its code, and binds her if the policy says so.

    The same `request_key` again gets the first answer and changes nothing (refused when it comes with another
    member or scene). An unknown, closed or expired code, a guide who has left and a store without guides bind
    nobody; the outcome says which it was. `is_mini_program`: she came through a mini-program code.
    """
    at = at or clock.now()
    scene = scene.replace("\0", "")[:64]
    with transaction.atomic():
        member_id = member_services.lock_member(member_id)
        first = ChannelScan.objects.filter(request_key=request_key).first()
        if first is not None:
            # She may have been merged since: her old row stands for the living one.
            targets = member_selectors.list_merge_targets([first.member_id])
            if first.scene != scene or targets[first.member_id] != member_id:
                raise RequestKeyReused
            return _result(first, member_id, is_repeat=True)
        code = ChannelCode.objects.filter(code=scene).select_related("guide").first()
        outcome, guide = _settle(
            code, member_id, request_key=request_key, is_mini=is_mini_program, actor=actor, at=at
        )
        scan = ChannelScan.objects.create(
            channel_code=code,
            scene=scene,
            member_id=member_id,
            guide=guide,
            request_key=request_key,
            is_new_follower=is_new_follower,
            outcome=outcome,
            scanned_at=at,
        )
        if code is not None:
            _count(code, is_new_follower=is_new_follower, is_bound=outcome == ScanOutcome.BOUND)
        audit.record(action="guides.code_scanned", subject=scan, actor=actor, at=at, outcome=outcome.value)
        purpose = "" if code is None else code.purpose
        events.publish(ChannelScanned(scan.pk, member_id, scan.channel_code_id, purpose))
        return _result(scan, member_id, is_repeat=False)


def answer_scan(
    *,
    account_id: int,
    app_id: str,
    openid: str,
    unionid: str | None,
    scene: str,
    is_new_follower: bool,
    inbound_id: int,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ScanResult:
    """She is a member, her scan is settled, and one message telling her so is queued: all in one transaction.

    The push's own id is the key of each part, so that delivering it twice changes nothing.
    """
    at = at or clock.now()
    with transaction.atomic():
        member = member_services.register_follower(
            app_id=app_id, openid=openid, unionid=unionid, scene=scene, actor=actor, at=at
        )
        result = resolve_scan(
            member_id=member.id,
            scene=scene,
            is_new_follower=is_new_follower,
            request_key=f"push:{inbound_id}",
            actor=actor,
            at=at,
        )
        outbox.queue_text(
            account_id=account_id,
            openid=openid,
            text=_answer(result),
            reason_key=f"greet:{inbound_id}",
            window_until=followers.get_window_until(account_id=account_id, openid=openid, acted_at=at),
        )
        return result


def find_terms(store: Store) -> policy.Terms:
    """The binding policy that holds in a store."""
    active = BindingPolicy.objects.filter(is_active=True).values_list("protected_days", "region_id")
    return policy.choose_terms((policy.Terms(*row) for row in active), region_path=store.region.path)


def _settle(
    code: ChannelCode | None,
    member_id: int,
    *,
    request_key: str,
    is_mini: bool,
    actor: Actor,
    at: dt.datetime,
) -> tuple[ScanOutcome, Guide | None]:
    """The outcome, and the guide the code stands for (whether or not she got her)."""
    if code is None:
        return ScanOutcome.UNKNOWN_CODE, None
    if code.guide is not None and code.guide.state != GuideState.ACTIVE:
        return ScanOutcome.GUIDE_LEFT, code.guide
    if code.closed_at is not None or (code.valid_until is not None and code.valid_until <= at):
        return ScanOutcome.CODE_CLOSED, code.guide
    live = lock_live(member_id)
    decision = _decide(live, code, at)
    if decision is not None and live is not None and decision.verdict == "keep":
        yours = decision.reason == "same_guide"
        return (ScanOutcome.ALREADY_YOURS if yours else ScanOutcome.KEPT_BY_OTHER), (
            live.guide if yours else code.guide
        )
    guide = _allocate(code)
    if guide is None:
        return (ScanOutcome.GUIDE_LEFT if code.guide is not None else ScanOutcome.NO_GUIDE), code.guide
    reason = str(_REASONS.get(decision.reason, "")) if decision is not None else ""
    if live is not None:
        end_binding(live, reason=reason, actor=actor, at=at)
    open_binding(
        member_id=member_id,
        guide=guide,
        source=_source(code, is_mini=is_mini),
        actor=actor,
        at=at if live is None else max(at, live.bound_at),
        channel_code_id=code.pk,
        request_key=request_key,
        reason=reason,
    )
    return ScanOutcome.BOUND, guide


def _source(code: ChannelCode, *, is_mini: bool) -> BindingSource:
    if is_mini:
        return BindingSource.MINI_PROGRAM
    return BindingSource.SCAN if code.kind == CodeKind.GUIDE else BindingSource.STORE_SCAN


def _decide(live: Binding | None, code: ChannelCode, at: dt.datetime) -> policy.Decision | None:
    """What the policy says of her live binding and this code; None when she is free."""
    if live is None:
        return None
    current = Guide.objects.select_related("store__region").get(pk=live.guide_id)
    is_active = current.state == GuideState.ACTIVE
    if code.kind == CodeKind.STORE and is_active and current.store_id == code.store_id:
        return policy.Decision("keep", "same_guide")
    return policy.decide(
        policy.Existing(current.pk, is_active, live.bound_at),
        incoming_guide_id=code.guide_id,
        terms=find_terms(current.store),
        at=at,
    )


def _allocate(code: ChannelCode) -> Guide | None:
    """The guide who gets her, locked: the code's own, or the store's with the fewest live bindings.

    The store's row is locked first: scans of one store's code are dealt out one after another, so that many
    at once spread evenly. Managers get members only where there is no other guide.
    """
    if code.guide_id is not None:
        guide = Guide.objects.lock(code.guide_id)
        return guide if guide.state == GuideState.ACTIVE else None
    Store.objects.lock(code.store_id)
    candidates = Guide.objects.active().filter(store_id=code.store_id)
    load = Count("bindings", filter=Q(bindings__ended_at__isnull=True))
    for role in (GuideRole.GUIDE, GuideRole.MANAGER):
        ranked = candidates.filter(role=role).annotate(load=load).order_by("load", "pk")
        for guide_id in ranked.values_list("pk", flat=True):
            guide = Guide.objects.lock(guide_id)
            # She may have left or moved between the look and the lock; then the next one.
            if guide.state == GuideState.ACTIVE and guide.store_id == code.store_id:
                return guide
    return None


def _count(code: ChannelCode, *, is_new_follower: bool, is_bound: bool) -> None:
    ChannelCode.objects.filter(pk=code.pk).update(
        scan_count=F("scan_count") + 1,
        follow_count=F("follow_count") + int(is_new_follower),
        binding_count=F("binding_count") + int(is_bound),
    )


def _result(scan: ChannelScan, member_id: int, *, is_repeat: bool) -> ScanResult:
    live = Binding.objects.live().filter(member_id=member_id).values_list("guide_id", flat=True).first()
    made = Binding.objects.filter(request_key=scan.request_key).values_list("pk", flat=True).first()
    return ScanResult(
        scan_id=scan.pk,
        member_id=member_id,
        outcome=_OUTCOMES[scan.outcome],
        guide=None if live is None else get_guide_card(live),
        binding_id=made,
        is_repeat=is_repeat,
    )


def _answer(result: ScanResult) -> str:
    guide = result.guide
    if guide is not None and result.outcome == "bound":
        text = _("您好，我是您的专属导购%(name)s（%(place)s）。挑款、尺码、到店试穿，随时在这里找我。")
    elif guide is not None and result.outcome == "already_yours":
        text = _("又见面啦，您的专属导购还是%(name)s（%(place)s），有需要随时在这里找我。")
    elif guide is not None and guide.is_active and result.outcome == "kept_by_other":
        text = _("您的专属导购是%(name)s（%(place)s），会继续为您服务。想换导购，请告诉店员。")
    elif guide is not None and guide.is_active:
        text = _("这个码已经不能用了。您的专属导购是%(name)s（%(place)s），有需要随时在这里找我们。")
    elif result.outcome == "no_guide":
        text = _("欢迎您。这家门店暂时没有导购在岗，请到店问问店员，我们会尽快为您安排。")
    else:
        text = _("您好，这个码已经不能用了。请向店员要一个新的码，扫一扫就能找到您的专属导购。")
    if guide is None:
        return text
    return text % {"name": guide.name, "place": place_of(guide)}
