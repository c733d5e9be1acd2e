"""A server tells what members did: signed, once a request and once an event, for the whole chain only."""

from typing import Any

from members.models import Behaviour
from tests.cast import APP_ID
from tests.members.behaviours_kit import now_deed, of
from tests.members.merge_kit import customer
from tests.openapi.kit import Till, codes, make_till, new_key


def event(member: dict[str, str], **told: Any) -> dict[str, Any]:
    return {**now_deed(**told), "member": member}


def test_members_and_openids_nobody_knows_are_kept_and_the_rest_is_named(shop: int) -> None:
    server = make_till()
    her = customer("13912345678")
    events = [
        event(of("phone", "13912345678")),
        event(of("mini_openid", "stranger-1", APP_ID)),
        event(of("phone", "13800000000")),
        {"key": "no-kind-at-all"},
    ]
    key = new_key()
    told = server.post("/behaviours", {"events": events}, key=key)
    assert told.status_code == 200
    assert (told.data["kept_count"], told.data["repeated_count"]) == (2, 0)
    assert [(one["index"], one["code"]) for one in told.data["refused"]] == [
        (2, "unknown_member"), (3, "missing_field"),
    ]  # fmt: skip
    assert told.data["refused"][1]["key"] == "no-kind-at-all"
    again = server.post("/behaviours", {"events": events}, key=key)
    assert (again.data, again["Idempotent-Replayed"]) == (told.data, "true")
    assert server.post("/behaviours", {"events": events}).data["repeated_count"] == 2
    assert sorted(Behaviour.objects.values_list("member_id", "door"), key=str) == [
        (her.id, "api"), (None, "api"),
    ]  # fmt: skip


def test_another_client_has_keys_of_its_own(shop: int) -> None:
    customer("13912345678")
    one = event(of("phone", "13912345678"))
    for server in (make_till(), make_till()):
        assert server.post("/behaviours", {"events": [one]}).data["kept_count"] == 1


def test_a_key_without_the_scope_tells_nothing(shop: int) -> None:
    answer = make_till(scopes=("sales:write",)).post("/behaviours", {"events": [{}]})
    assert codes(answer) == (403, "openapi.scope_missing")
    assert answer.data["details"] == {"scope": "behaviours"}


def test_a_key_of_one_store_tells_nothing(till: Till) -> None:
    body = {"events": [event(of("phone", "13912345678"))]}
    assert codes(till.post("/behaviours", body)) == (403, "openapi.chain_only")


def test_an_unsigned_request_and_one_without_its_key_tell_nothing(shop: int) -> None:
    server = make_till()
    body = {"events": [event(of("phone", "13912345678"))]}
    assert codes(server.post("/behaviours", body, key=None)) == (400, "openapi.idempotency_key_missing")
    assert codes(server.ask("POST", "/behaviours", body, signature="0" * 64))[0] == 401
    assert codes(server.post("/behaviours", {"events": [{}] * 501})) == (400, "core.invalid_input")
    assert not Behaviour.objects.exists()
