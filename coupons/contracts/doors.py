"""What a guide may hand out, and how an offer of hers stands."""

import dataclasses
import datetime as dt

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


@dataclasses.dataclass(frozen=True, slots=True)
class FaceToFaceCard:
    """One face-to-face offer, for the guide who shows it.

    `qr_content` is what the QR must hold, empty while WeChat has not answered yet. Refused are members, not scans.
    `last_claims` are (name as she may read it, when), the newest first.
    """

    public_id: str
    batch_id: int
    title: str
    value_words: str
    validity_words: str
    qr_content: str
    is_open: bool
    expires_at: dt.datetime
    claimed_count: int
    refused_count: int
    last_claims: tuple[tuple[str, dt.datetime], ...]
