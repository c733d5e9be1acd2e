"""Who turned away from the shop by her own row or her own word, and when: rows that other apps hold against their own."""

from django.db.models import QuerySet

from members.models import ConsentAction, ConsentEntry, Member
from members.selectors.consents import MARKETING


def unfollowed_rows() -> QuerySet[Member]:
    """Members who do not follow the account any more, since `follow_changed_at`; who follows again is not among them.
    Unevaluated."""
    return Member.objects.filter(is_following=False, follow_changed_at__isnull=False)


def withdrawal_rows(kind: str = MARKETING) -> QuerySet[ConsentEntry]:
    """Each time a member took her word of this kind back, at the instant `at`, whether or not she agreed again. Unevaluated."""
    return ConsentEntry.objects.filter(kind__code=kind, action=ConsentAction.WITHDRAWN)
