"""What a till gets when it has read a member's code: it may ask about her for a while, and nobody else may with it."""

from typing import Final

from django.core import signing

from members import selectors as member_selectors
from openapi.contracts import Caller
from openapi.errors import VisitOver

VISIT_S: Final = 2 * 3600
_SALT: Final = "openapi.visit"


def seal_visit(*, caller: Caller, member_id: int) -> str:
    """A text that stands for her with this client, for two hours."""
    return signing.dumps([caller.client_id, member_id], salt=_SALT)


def open_visit(*, caller: Caller, visit: str) -> int:
    """The living row of the member. Raises VisitOver for what we did not give to this client, or too long ago."""
    try:
        client_id, member_id = signing.loads(visit, salt=_SALT, max_age=VISIT_S)
    except (signing.BadSignature, ValueError, TypeError):
        raise VisitOver from None
    living = member_selectors.list_merge_targets([member_id]).get(member_id)
    if client_id != caller.client_id or living is None:
        raise VisitOver
    return living
