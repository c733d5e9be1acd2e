"""Services of the API for tills: clients and their secrets, signatures, writes that happen once."""

from openapi.services.clients import change_client, create_client, revoke_client, rotate_secret
from openapi.services.idempotency import answer_once
from openapi.services.places import may_act_for, owns_store, resolve_store, store_code_of
from openapi.services.pruning import prune_api
from openapi.services.request_log import note_request
from openapi.services.signatures import canonical_text, find_caller, sign
from openapi.services.visits import open_visit, seal_visit

__all__ = [
    "answer_once",
    "canonical_text",
    "change_client",
    "create_client",
    "find_caller",
    "may_act_for",
    "note_request",
    "open_visit",
    "owns_store",
    "prune_api",
    "resolve_store",
    "revoke_client",
    "rotate_secret",
    "seal_visit",
    "sign",
    "store_code_of",
]
