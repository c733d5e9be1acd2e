"""For which store a request is: the key's own, or one of its dealer or of the chain, named by its number."""

from guides import selectors as guide_selectors
from openapi.contracts import Caller
from openapi.errors import NoSuchStore, StoreMissing


def resolve_store(*, caller: Caller, code: str = "") -> int:
    """The store's id. Raises StoreMissing, and NoSuchStore for an unknown store and for one that is not the key's."""
    if not code:
        if caller.store_id is None:
            raise StoreMissing(field="store")
        return caller.store_id
    place = guide_selectors.find_store_place(code)
    if place is None or not _may_act(caller, place.store_id, place.dealer_id):
        raise NoSuchStore
    return place.store_id


def may_act_for(*, caller: Caller, code: str) -> bool:
    """Whether the store of that number is the key's. For a key of the whole chain any is, also one that is not
    registered yet."""
    if caller.store_id is None and caller.dealer_id is None:
        return True
    place = guide_selectors.find_store_place(code)
    return place is not None and _may_act(caller, place.store_id, place.dealer_id)


def owns_store(*, caller: Caller, store_id: int) -> bool:
    """Whether what is in this store may be shown to the key, and corrected by it."""
    place = guide_selectors.get_store_place(store_id)
    return _may_act(caller, place.store_id, place.dealer_id)


def store_code_of(*, caller: Caller) -> str:
    """The number of the key's own store; empty for a dealer's or the chain's."""
    return "" if caller.store_id is None else guide_selectors.get_store_code(caller.store_id)


def _may_act(caller: Caller, store_id: int, dealer_id: int | None) -> bool:
    if caller.store_id is not None:
        return caller.store_id == store_id
    return caller.dealer_id is None or caller.dealer_id == dealer_id
