"""The chain's decisions about privacy, and members' requests for their own data."""

from core.labels import label_of
from members.contracts import Choice, DataRequestCard, PrivacyDecisions
from members.errors import NoSuchDataRequest
from members.models import DataRequest, PrivacySettings, RevealReason


def get_privacy_decisions() -> PrivacyDecisions:
    """What the chain decided; the defaults of the columns where it decided nothing."""
    row = PrivacySettings.objects.first() or PrivacySettings()
    return PrivacyDecisions(
        guide_reveals_per_hour=row.guide_reveals_per_hour,
        guide_reveals_per_day=row.guide_reveals_per_day,
        staff_reveals_per_hour=row.staff_reveals_per_hour,
        staff_reveals_per_day=row.staff_reveals_per_day,
        member_reveals_per_day=row.member_reveals_per_day,
        cooling_off_days=row.cooling_off_days,
        request_due_days=row.request_due_days,
        unfollow_keep_days=row.unfollow_keep_days,
        unfollow_withdraws_marketing=row.unfollow_withdraws_marketing,
        phone_rest_days=row.phone_rest_days,
    )


def list_reveal_reasons() -> tuple[Choice, ...]:
    """The choices of the dialog, in its order."""
    return tuple(Choice(reason.value, str(reason.label)) for reason in RevealReason)


def data_request_card_of(row: DataRequest) -> DataRequestCard:
    """The card of a request row."""
    return DataRequestCard(
        id=row.pk,
        public_id=row.public_id,
        member_id=row.member_id,
        kind="erase" if row.kind == "erase" else "export",
        state="open" if row.state == "open" else "done" if row.state == "done" else "withdrawn",
        state_label=label_of(row, "state"),
        asked_at=row.asked_at,
        due_on=row.due_on,
        not_before=row.not_before,
        closed_at=row.closed_at,
    )


def list_data_requests(member_id: int) -> tuple[DataRequestCard, ...]:
    """Her requests, newest first."""
    rows = DataRequest.objects.filter(member_id=member_id).order_by("-asked_at", "-pk")
    return tuple(data_request_card_of(row) for row in rows)


def access_data_request(*, member_id: int, public_id: str) -> DataRequestCard:
    """Her own request. Raises NoSuchDataRequest for an unknown one and for another member's alike."""
    row = DataRequest.objects.filter(member_id=member_id, public_id=public_id.replace("\0", "")[:17]).first()
    if row is None:
        raise NoSuchDataRequest
    return data_request_card_of(row)
