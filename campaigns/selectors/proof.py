"""The report of one campaign: what came of it, against its control group, for the chain or for some stores of it."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.contracts.proof import (
    Arm,
    ProofBy,
    ProofDay,
    ProofLine,
    ProofNumbers,
    ProofProgress,
    ProofRate,
    ProofReport,
    RateKind,
    RunLine,
    VariantUplift,
)
from campaigns.models import Campaign, CampaignBook, CampaignRun
from campaigns.selectors.proof_sums import are_new, arm_of, halves, numbers_by, numbers_by_letter
from campaigns.selectors.uplift import compare, has_enough_members
from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from members import selectors as member_selectors

_COLUMNS: Final = {
    "variant": "letter",
    "store": "store_id",
    "region": "store_id",
    "guide": "guide_id",
    "tier": "tier_id",
}
# Who stood so at launch, and how many of them bought.
_RATES: Final[Mapping[RateKind, tuple[str, str]]] = {
    "second_purchase": ("once_count", "second_count"),
    "wake_up": ("asleep_count", "woken_count"),
    "win_back": ("lost_count", "won_back_count"),
}
_DAYS: Final = """
SELECT (extract(epoch FROM hers.goal_at - run.launched_at)::bigint / 86400)::int + 1 AS day,
       count(*) FILTER (WHERE hers.letter <> ''), count(*) FILTER (WHERE hers.letter = '')
FROM campaigns_campaignoutcome hers JOIN campaigns_campaignrun run ON run.id = hers.run_id
WHERE hers.run_id = ANY(%s::bigint[]) AND hers.goal_at IS NOT NULL {narrowed}
GROUP BY 1
"""


def get_proof(
    campaign_id: int,
    *,
    run_id: int | None = None,
    store_ids: Collection[int] | None = None,
    at: dt.datetime | None = None,
) -> ProofReport:
    """The report of one run, or of all that were launched. Raises NotFound where the campaign has no such run, or nobody of
    these stores is in it."""
    at = at or clock.now()
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    runs = _runs(campaign_id, at)
    chosen = [run.id for run in runs if run_id in {None, run.id}]
    if campaign is None or (run_id is not None and not chosen):
        raise NotFound
    by_run = numbers_by_letter(chosen, store_ids=store_ids)
    if store_ids is not None and not any(by_run.values()):
        raise NotFound
    by_letter = _joined(by_run.values())
    treated, control = halves(by_letter)
    books = list(CampaignBook.objects.filter(run__in=chosen))
    is_open = any(run.is_open for run in runs if run.id in chosen)
    may_judge = _may_judge(books, runs)
    judging = {"is_open": is_open, "may_judge": may_judge}
    other = arm_of(control, campaign.goal)
    letters = sorted(letter for letter in by_letter if letter)
    return ProofReport(
        campaign_id=campaign.pk,
        campaign_name=campaign.name,
        goal=campaign.goal,
        kind=campaign.kind,
        window_days=campaign.window_days,
        runs=runs,
        run_id=run_id,
        summed_at=min((book.summed_at for book in books if book.summed_at), default=None),
        is_open=is_open,
        is_final=bool(books) and all(book.frozen_at for book in books),
        ends_at=max((run.window_ends_at for run in runs if run.id in chosen), default=None),
        treated=treated,
        control=control,
        uplift=compare(arm_of(treated, campaign.goal), other, **judging),
        variants=[
            VariantUplift(
                letter,
                by_letter[letter],
                compare(arm_of(by_letter[letter], campaign.goal), other, comparisons=len(letters), **judging),
            )
            for letter in letters
        ],
        rates=[_rate(kind, treated, control, **judging) for kind in _RATES],
        days=_days(chosen, campaign, runs, store_ids, at),
        may_judge=may_judge,
        progress=_progress([run for run in runs if run.id in chosen], books),
    )


def list_proof_lines(
    report: ProofReport, *, by: ProofBy, store_ids: Collection[int] | None = None
) -> tuple[ProofLine, ...]:
    """The numbers of the report by one dimension, the largest first; variants in their order."""
    chosen = [run.id for run in report.runs if report.run_id in {None, run.id}]
    sums = numbers_by(_COLUMNS[by], chosen, store_ids=store_ids)
    if by == "region":
        sums = _by_region(sums)
    keys = {key for key, _is_control in sums}
    if by == "variant":
        keys.discard("")
    labels = _labels(by, keys)
    nobody = ProofNumbers()
    pairs = {
        key: (
            sums.get((key, False), nobody),
            sums.get(("", True) if by == "variant" else (key, True), nobody),
        )
        for key in keys
    }
    arms = {
        key: (arm_of(one, report.goal), arm_of(other, report.goal)) for key, (one, other) in pairs.items()
    }
    comparisons = max(1, sum(has_enough_members(*both) for both in arms.values()))
    lines = [
        ProofLine(
            str(key),
            labels.get(key) or _("未知"),
            *pairs[key],
            compare(*arms[key], comparisons=comparisons, is_open=report.is_open, may_judge=report.may_judge),
        )
        for key in keys
    ]
    if by == "variant":
        return tuple(sorted(lines, key=lambda line: line.key))
    return tuple(sorted(lines, key=lambda line: (-line.treated.member_count, line.label)))


def _rate(kind: RateKind, treated: ProofNumbers, control: ProofNumbers, **judging: bool) -> ProofRate:
    """One of three questions that are asked at once."""
    aimed, hits = _RATES[kind]
    hers, others = (
        Arm(getattr(one, aimed), getattr(one, hits), getattr(one, aimed), getattr(one, hits), 0, 0)
        for one in (treated, control)
    )
    return ProofRate(kind, compare(hers, others, comparisons=len(_RATES), **judging))


def _progress(runs: Sequence[RunLine], books: Sequence[CampaignBook]) -> ProofProgress | None:
    """None where all of them have been counted once."""
    known = {book.pk: book for book in books}
    fresh = [(run, known.get(run.id)) for run in runs if run.id not in known or not known[run.id].counted_at]
    if not fresh:
        return None
    begun = counted = 0
    for run, book in fresh:
        if book is None:
            continue
        begun += run.member_count if book.begun_at else book.done_count
        counted += book.done_count if book.begun_at else 0
    return ProofProgress(sum(run.member_count for run, _book in fresh), begun, counted)


def _runs(campaign_id: int, at: dt.datetime) -> tuple[RunLine, ...]:
    """The newest first."""
    rows = CampaignRun.objects.filter(
        campaign=campaign_id, launched_at__isnull=False, window_ends_at__isnull=False
    )
    frozen = set(
        CampaignBook.objects.filter(run__campaign=campaign_id, frozen_at__isnull=False).values_list(
            "pk", flat=True
        )
    )
    return tuple(
        RunLine(pk, number, launched, ends, ends > at, pk in frozen, count)
        for pk, number, launched, ends, count in rows.order_by("-number").values_list(
            "pk", "number", "launched_at", "window_ends_at", "member_count"
        )
        if launched is not None and ends is not None
    )


def _joined(by_run: Iterable[Mapping[str, ProofNumbers]]) -> dict[str, ProofNumbers]:
    whole: dict[str, ProofNumbers] = {}
    for sums in by_run:
        for letter, numbers in sums.items():
            whole[letter] = whole.get(letter, ProofNumbers()) + numbers
    return whole


def _may_judge(books: Sequence[CampaignBook], runs: Sequence[RunLine]) -> bool:
    if len(books) < 2:
        return True
    first = min(runs, key=lambda run: run.number).id
    members = sum(sum(sums["member_count"] for sums in book.sums.values()) for book in books)
    repeats = sum(book.repeat_count for book in books if book.pk != first)
    return are_new(members, repeats)


def _days(
    run_ids: Sequence[int],
    campaign: Campaign,
    runs: Sequence[RunLine],
    store_ids: Collection[int] | None,
    at: dt.datetime,
) -> tuple[ProofDay, ...]:
    """Day by day how many had done it until then, up to now or to the end of the window."""
    narrowed = "" if store_ids is None else "AND hers.store_id = ANY(%s::bigint[])"
    params: list[Any] = [list(run_ids)] + ([] if store_ids is None else [list(store_ids)])
    with connection.cursor() as cursor:
        cursor.execute(_DAYS.format(narrowed=narrowed), params)
        found = {day: (treated, control) for day, treated, control in cursor.fetchall()}
    first = min((run.launched_at for run in runs if run.id in run_ids), default=at)
    length = (
        max((run.window_ends_at - run.launched_at).days for run in runs if run.id in run_ids)
        if run_ids
        else 0
    )
    days, treated, control = [], 0, 0
    for day in range(1, min(max(length, 1), (at - first).days + 1) + 1):
        treated, control = treated + found.get(day, (0, 0))[0], control + found.get(day, (0, 0))[1]
        days.append(ProofDay(day, treated, control))
    return tuple(days)


def _by_region(sums: Mapping[tuple[Any, bool], ProofNumbers]) -> dict[tuple[Any, bool], ProofNumbers]:
    places = guide_selectors.list_store_labels({key for key, _is_control in sums})
    whole: dict[tuple[Any, bool], ProofNumbers] = {}
    for (store_id, is_control), numbers in sums.items():
        key = (places[store_id].region_id if store_id in places else 0, is_control)
        whole[key] = whole.get(key, ProofNumbers()) + numbers
    return whole


def _labels(by: ProofBy, keys: Collection[Any]) -> Mapping[Any, str]:
    if by == "variant":
        return {key: _("版本 %(letter)s") % {"letter": key} for key in keys}
    if by == "guide":
        return {0: _("没有专属导购"), **guide_selectors.list_guide_labels(keys)}
    if by == "tier":
        return {0: _("没有等级"), **{tier.id: tier.name for tier in member_selectors.list_tiers()}}
    places = guide_selectors.list_store_labels(keys if by == "store" else None).values()
    if by == "region":
        return {0: _("没有门店"), **{place.region_id: place.region_name for place in places}}
    return {0: _("没有门店"), **{place.id: place.name for place in places}}
