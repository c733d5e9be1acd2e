"""Where members live, as they told it."""

from members.contracts import AddressCard
from members.models import MemberAddress


def get_address(member_id: int) -> AddressCard:
    """The address of a living row; an empty one while there is none."""
    row = MemberAddress.objects.filter(member_id=member_id).first()
    return AddressCard() if row is None else address_card_of(row)


def address_card_of(row: MemberAddress) -> AddressCard:
    """The contract of an address row."""
    return AddressCard(
        province=row.province,
        city=row.city,
        district=row.district,
        street=row.street,
        changed_at=row.changed_at,
    )
