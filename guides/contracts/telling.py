"""What members are told."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class MemberText:
    """A text for one member; there is one message for its reason."""

    member_id: int
    reason_key: str
    text: str
