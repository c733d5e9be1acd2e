"""Tables of `members`."""

from members.models.people import Gender, Identity, Member, MemberIdentity, MemberStage, Source

__all__ = ["Gender", "Identity", "Member", "MemberIdentity", "MemberStage", "Source"]
