"""What a guide may hand out."""

import dataclasses

from coupons.contracts.coupons import BatchCard, GuideQuota, TemplateCard


@dataclasses.dataclass(frozen=True, slots=True)
class GuideBatch:
    """A batch that guides hand out through a door, with what stands against this guide's doing it now (empty:
    nothing)."""

    batch: BatchCard
    template: TemplateCard
    quota: GuideQuota  # hers, in this period
    remaining_count: int  # of the batch, for everybody
    why_not: str  # the code of a refusal
    why_not_words: str
