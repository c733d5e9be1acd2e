"""A system of the chain makes segments, counts rules and reads who is in them; a till of one store does none of it."""

import datetime as dt
import json
from typing import Any

import jsonschema
import pytest

from campaigns import services
from campaigns.models import Segment, SegmentMember, SegmentSize
from core import clock
from core.models import AuditEntry
from members.models import Member
from tests.cast import DIRECTOR, Cast
from tests.openapi.kit import Till, codes, make_till, new_key
from tests.stack import ROOT

FOLLOWING: dict[str, Any] = {"all": [{"is": "members.following"}]}


@pytest.fixture
def chain(shop: int, cast: Cast) -> Till:
    return make_till()


def named(code: str) -> dict[str, str]:
    return {"kind": "member_code", "value": code}


def make(chain: Till, **told: Any) -> dict[str, Any]:
    answer = chain.post("/segments", {"name": "关注的人", "kind": "living", "rule": FOLLOWING, **told})
    assert answer.status_code == 200, answer.data
    services.work_segments()
    made: dict[str, Any] = answer.data
    return made


def members_of(chain: Till, segment_id: str, query: str = "") -> list[tuple[str, str]]:
    """Page by page."""
    found, cursor = [], ""
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = chain.get(f"/segments/members?id={segment_id}&limit=1{query}{more}").data
        found += [(one["member_code"], one["value"]) for one in page["members"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_the_schema_that_is_published_is_one_and_takes_a_rule(chain: Till) -> None:
    schema = chain.get("/segments/schema").data["schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(FOLLOWING, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"is": "members.shoe"}, schema)


def test_a_rule_is_counted(chain: Till) -> None:
    told = chain.post("/segments/count", {"rule": FOLLOWING}, key=None)
    assert (told.status_code, told.data["member_count"]) == (200, 2)
    nobody = {"all": [*FOLLOWING["all"], {"none": FOLLOWING["all"]}]}
    assert chain.post("/segments/count", {"rule": nobody}).data["member_count"] == 0
    everybody = {"none": [nobody]}
    living = Member.objects.living().count()
    assert chain.post("/segments/count", {"rule": everybody}).data["member_count"] == living


@pytest.mark.parametrize("who", ["nobody", "everybody"])
def test_nobody_and_everybody_are_made_and_read(chain: Till, who: str) -> None:
    nobody = {"all": [*FOLLOWING["all"], {"none": FOLLOWING["all"]}]}
    wanted = set(Member.objects.living().values_list("code", flat=True)) if who == "everybody" else set()
    made = make(chain, rule=nobody if who == "nobody" else {"none": [nobody]})
    [told] = chain.get(f"/segments?id={made['id']}").data["segments"]
    assert told["member_count"] == len(wanted)
    assert {code for code, _value in members_of(chain, made["id"])} == wanted


def test_a_living_segment_is_made_once_changed_and_read(chain: Till, cast: Cast) -> None:
    body, key = {"name": "关注的人", "kind": "living", "rule": FOLLOWING}, new_key()
    made = chain.post("/segments", body, key=key)
    assert (made.data["state"], made.data["member_count"]) == ("computing", None)
    assert chain.post("/segments", body, key=key).data == made.data
    assert Segment.objects.count() == 1
    services.work_segments()
    Segment.objects.update(due_at=None)
    [told] = chain.get(f"/segments?id={made.data['id']}").data["segments"]
    assert (told["state"], told["member_count"], told["rule"]) == ("ready", 2, FOLLOWING)
    everyone = sorted((cast.xiaomei, cast.xiaoli), key=lambda card: card.id)
    assert members_of(chain, told["id"]) == [(card.code, card.code) for card in everyone]
    women = {"any": [{"is": "members.gender", "with": {"genders": ["female"]}}]}
    change = {"id": told["id"], "version": 1, "rule": women}
    assert chain.post("/segments/change", change).data["version"] == 2
    assert codes(chain.post("/segments/change", change)) == (409, "campaigns.segment_changed_meanwhile")
    kept = chain.post("/segments/change", {"id": told["id"], "version": 2, "note": "给合作方"}).data
    assert (kept["name"], kept["note"], kept["rule"]) == ("关注的人", "给合作方", women)
    reads = AuditEntry.objects.filter(action="campaigns.segment_read")
    assert list(reads.values_list("actor_kind", flat=True)) == ["client"]


def test_a_list_is_made_and_changed_by_any_names_and_the_unknown_are_told(chain: Till, cast: Cast) -> None:
    she, other = cast.xiaomei, cast.xiaoli
    body = {"name": "名单", "kind": "listed", "members": [named(she.code), named("nobody")]}
    made = chain.post("/segments", body).data
    assert (made["kind"], made["rule"], made["member_count"], made["state"]) == ("listed", None, 1, "ready")
    assert [(one["index"], one["code"]) for one in made["refused"]] == [(1, "unknown_member")]
    change = {"id": made["id"], "add": [named(other.code)], "remove": [named(she.code), named("nobody")]}
    told = chain.post("/segments/members", change).data
    assert (told["added_count"], told["removed_count"], told["member_count"]) == (1, 1, 1)
    assert [one["index"] for one in told["refused"]] == [2]
    assert members_of(chain, made["id"]) == [(other.code, other.code)]
    assert chain.post("/segments/members", change).data["added_count"] == 0
    line = SegmentSize.objects.get()
    assert (line.member_count, line.entered_count, line.left_count) == (1, 2, 1)
    living = make(chain)
    refused = chain.post("/segments/members", {"id": living["id"], "add": [named(she.code)]})
    assert codes(refused) == (422, "campaigns.segment_is_no_list")


def test_members_are_told_under_the_names_that_are_asked_for_and_never_by_phone(
    chain: Till, cast: Cast
) -> None:
    she = cast.xiaomei
    Member.objects.get(pk=she.id).identities.create(kind="pos_card", value="VIP-1", linked_at=clock.now())
    listed = chain.post("/segments", {"name": "名单", "kind": "listed", "members": [named(she.code)]}).data
    assert members_of(chain, listed["id"], "&kind=pos_card") == [(she.code, "VIP-1")]
    assert members_of(chain, listed["id"], "&kind=unionid&app_id=x") == [(she.code, "")]
    assert codes(chain.get(f"/segments/members?id={listed['id']}&kind=phone"))[0] == 400
    Member.objects.filter(pk=she.id).update(merged_into_id=cast.xiaoli.id)
    assert members_of(chain, listed["id"]) == []
    assert SegmentMember.objects.count() == 1


def test_the_days_of_a_segment_are_told(chain: Till, cast: Cast) -> None:
    made = make(chain)
    row = Segment.objects.get(public_id=made["id"])
    today = clock.today()
    for ago in (1, 100, 400):
        day = today - dt.timedelta(days=ago)
        SegmentSize.objects.create(segment=row, day=day, member_count=ago, entered_count=0, left_count=0)

    def days(query: str = "") -> list[int]:
        lines = chain.get(f"/segments/sizes?id={made['id']}{query}").data["sizes"]
        return [line["member_count"] for line in lines]

    assert days() == [1, 2]
    since = today - dt.timedelta(days=1000)
    assert days(f"&since={since}") == [100, 1, 2], "a year at most"
    assert days(f"&until={today - dt.timedelta(days=50)}") == [100]
    assert days(f"&since={today}&until={since}") == []


def test_pages_of_segments_end_and_cursors_are_for_whom_they_were_given(chain: Till) -> None:
    made = [make(chain, name=f"人群{number}") for number in range(3)]
    first = chain.get("/segments?limit=2").data
    assert [one["id"] for one in first["segments"]] == [made[2]["id"], made[1]["id"]]
    last = chain.get(f"/segments?limit=2&cursor={first['next_cursor']}").data
    assert ([one["id"] for one in last["segments"]], last["next_cursor"]) == ([made[0]["id"]], None)
    assert codes(make_till().get(f"/segments?cursor={first['next_cursor']}"))[0] == 400


_LEAF: dict[str, Any] = {"is": "members.following"}


def deep(levels: int) -> Any:
    rule: Any = _LEAF
    for _level in range(levels):
        rule = {"all": [rule]}
    return rule


BAD_RULES: list[tuple[Any, str, str]] = [
    (None, "", "not_an_object"),
    ("members.following", "", "not_an_object"),
    ([], "", "not_an_object"),
    ({}, "", "not_a_node"),
    ({"all": []}, "/all", "empty_group"),
    ({"all": [_LEAF], "any": [_LEAF]}, "", "not_a_node"),
    ({"all": [_LEAF], "name": "x"}, "/name", "unknown_field"),
    ({"is": "members.shoe"}, "/is", "unknown_condition"),
    ({"is": "members.age", "with": {"years": {"at_least": "18"}}}, "/with/years/at_least", "not_a_number"),
    ({"is": "members.age", "with": {"years": {"at_least": 1.5}}}, "/with/years/at_least", "not_a_number"),
    ({"is": "members.age", "with": {"years": {"at_least": True}}}, "/with/years/at_least", "not_a_number"),
    ({"is": "members.age", "with": {"years": {"from": 1}}}, "/with/years/from", "unknown_field"),
    ({"is": "members.age"}, "/with/years", "missing_field"),
    ({"is": "members.tag", "with": {"tags": [999_999_999]}}, "/with/tags/0", "unknown_row"),
    ({"all": [_LEAF] * 61}, "/all", "too_large"),
    (deep(7), "/all/0/all/0/all/0/all/0/all/0/all/0", "too_deep"),
    (deep(200), "/all/0/all/0/all/0/all/0/all/0/all/0", "too_deep"),
]


@pytest.mark.parametrize(
    ("rule", "path", "code"), BAD_RULES, ids=[f"{n}-{one[2]}" for n, one in enumerate(BAD_RULES)]
)
def test_what_is_wrong_with_a_rule_is_named(chain: Till, rule: Any, path: str, code: str) -> None:
    for address, told in (
        ("/segments/count", {"rule": rule}),
        ("/segments", {"name": "甲", "kind": "snapshot", "rule": rule}),
    ):
        answer = chain.post(address, told)
        if rule is None:
            assert codes(answer) == (400, "core.invalid_input")
            continue
        assert codes(answer) == (400, "campaigns.rule_unfit")
        fault = answer.data["details"]["faults"][0]
        assert (fault["path"], fault["code"]) == (path, code)
        assert fault["words"]
    assert not Segment.objects.exists()


def test_bodies_nobody_could_mean_are_refused(chain: Till, cast: Cast) -> None:
    whole = {"name": "甲", "kind": "living", "rule": FOLLOWING}
    for told in (
        {"name": "甲", "kind": "living"},
        {"name": "甲", "kind": "listed", "rule": FOLLOWING},
        whole | {"members": []},
        whole | {"kind": "other"},
        whole | {"name": 5},
        whole | {"unknown": 1},
        {"name": "甲", "kind": "listed", "members": [{"kind": "phone"}]},
        {"name": "甲", "kind": "listed", "members": [named("x")] * 5_001},
        {"name": "甲", "kind": "listed", "members": "x"},
    ):
        assert codes(chain.post("/segments", told)) == (400, "core.invalid_input"), told
    assert codes(chain.post("/segments", whole | {"name": " "}))[0] == 400
    assert codes(chain.post("/segments", b"[" * 10_000)) == (400, "openapi.not_json")
    text = json.dumps(whole).replace('"members.following"', '"members.\\u0000"').encode()
    assert codes(chain.post("/segments", text)) == (400, "openapi.not_text")
    for address in ("/segments?id=x", "/segments/members?id=x", "/segments/sizes?id=x"):
        assert codes(chain.get(address)) == (404, "campaigns.no_such_segment")
    for address in (
        "/segments/members",
        "/segments/sizes",
        "/segments/sizes?id=x&since=soon",
        "/segments?limit=0",
    ):
        assert codes(chain.get(address)) == (400, "core.invalid_input")
    retired = make(chain)
    services.retire_segment(public_id=retired["id"], actor=DIRECTOR)
    gone = chain.post("/segments/change", {"id": retired["id"], "version": 1, "name": "乙"})
    assert codes(gone) == (404, "campaigns.no_such_segment")
    assert chain.get(f"/segments?id={retired['id']}").data["segments"][0]["is_active"] is False
    assert chain.get("/segments").data["segments"] == []


def test_a_key_without_the_scope_and_one_of_a_store_do_nothing(shop: int, till: Till, cast: Cast) -> None:
    reader = make_till(scopes=("segments:read",))
    assert codes(reader.post("/segments", {})) == (403, "openapi.scope_missing")
    assert reader.get("/segments").status_code == 200
    assert reader.post("/segments/count", {"rule": FOLLOWING}).status_code == 200
    writer = make_till(scopes=("segments:write",))
    for address in ("/segments", "/segments/schema", "/segments/members?id=x", "/segments/sizes?id=x"):
        assert codes(writer.get(address)) == (403, "openapi.scope_missing")
        assert codes(till.get(address)) == (403, "openapi.chain_only")
    for address in ("/segments", "/segments/count", "/segments/change", "/segments/members"):
        assert codes(till.post(address, {})) == (403, "openapi.chain_only")
        assert codes(writer.ask("POST", address, {}, signature="0" * 64))[0] == 401
    assert not Segment.objects.exists()


def test_the_handbook_names_the_faults_of_rules() -> None:
    handbook = (ROOT / "docs" / "open-api.md").read_text(encoding="utf-8")
    assert {code for _rule, _path, code in BAD_RULES if f"`{code}`" not in handbook} == set()
