"""Another system sends members into journeys: signed, once for its key, for the whole chain only."""

from campaigns.models import Enrolment
from tests.campaigns.journey_kit import definition, points, start, wait
from tests.cast import APP_ID
from tests.members.behaviours_kit import of
from tests.members.merge_kit import customer
from tests.openapi.kit import Till, codes, make_till

URL = "/journeys/enrolments"


def test_she_enters_once_for_the_key_and_is_refused_in_words(shop: int) -> None:
    server, her = make_till(), customer("13912345678")
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    body = {
        "id": row.public_id,
        "key": "r1",
        "member": of("phone", "13912345678"),
        "values": {"day": "12月1日"},
    }
    first = server.post(URL, body)
    assert first.status_code == 200
    assert server.post(URL, body).data == first.data
    enrolment = Enrolment.objects.get()
    assert (enrolment.member_id, enrolment.values) == (her.id, {"day": "12月1日"})
    assert codes(server.post(URL, {**body, "key": "r2"})) == (422, "campaigns.journey_not_for_her")
    assert codes(server.post(URL, {**body, "member": of("phone", "13800000000")}))[0] == 404
    assert codes(server.post(URL, {**body, "id": "nowhere"})) == (404, "campaigns.no_such_journey")
    assert codes(server.post(URL, {**body, "values": {"nobody": "x"}})) == (400, "core.invalid_input")
    begins = start(definition({"a": points(1)}, on="joined"), "另一个")
    assert codes(server.post(URL, {**body, "id": begins.public_id})) == (422, "campaigns.journey_not_open")


def test_a_key_without_the_scope_and_one_of_a_store_send_nobody(shop: int, till: Till) -> None:
    row = start(definition({"a": points(1)}))
    body = {"id": row.public_id, "key": "r1", "member": of("mini_openid", "stranger", APP_ID)}
    assert codes(make_till(scopes=("members",)).post(URL, body)) == (403, "openapi.scope_missing")
    assert codes(till.post(URL, body)) == (403, "openapi.chain_only")
    assert not Enrolment.objects.exists()
