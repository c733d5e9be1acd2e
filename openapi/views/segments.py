"""Segments for systems of the chain: what a rule may say, how many it yields, making and changing one, who is in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import errors
from campaigns import services as campaign_services
from campaigns.selectors import segment_cards
from campaigns.selectors import segments as rules
from core.errors import InvalidInput
from members import selectors as member_selectors
from openapi.api import KeyView, Limit, TillJsonParser, open_cursor, seal_cursor
from openapi.errors import ChainOnly
from openapi.schema import ONCE, WRITES, documented
from openapi.views.segment_shapes import (
    MOST_NAMED,
    RULE,
    SEGMENT,
    SIZE,
    ChangeIn,
    CountOut,
    ListedOut,
    ListIn,
    MadeOut,
    MembersOut,
    MembersQuery,
    RuleIn,
    SchemaOut,
    SegmentIn,
    SegmentOut,
    SegmentsOut,
    SegmentsQuery,
    SizesOut,
    SizesQuery,
    days_of,
    show_segment,
    show_size,
)

# Each may take the database five seconds.
_COUNTS: Final = Limit("caller", 60, 60)
_NOT_FOUND: Final = (errors.NoSuchSegment, ChainOnly)
_UNKNOWN: Final = _("没有找到这位会员")
_NAMED: Final = [{"kind": "member_code", "value": "K7PW2MHT9XCQ"}, {"kind": "phone", "value": "13800138000"}]


class ListParser(TillJsonParser):
    """Five thousand names."""

    largest = 1024 * 1024


class _SegmentView(KeyView):
    """Reading is a GET, and counting is no write."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.client.store_id is not None or self.client.dealer_id is not None:
            raise ChainOnly

    def scope_of(self, request: Request) -> str:
        return "segments:read" if request.method == "GET" else "segments:write"


class SchemaView(_SegmentView):
    """`GET segments/schema`"""

    @documented(
        summary="What a rule may say / 人群条件的格式",
        words=(
            "A JSON Schema of rules with every condition there is. It says what a rule looks like; whether the shops, tags and "
            "goods it names exist is told when it is counted or saved. Groups go six deep, with sixty conditions at most."
        ),
        answer=SchemaOut,
        example={
            "schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Segment rule"}
        },
        refuses=(ChainOnly,),
    )
    def get(self, request: Request) -> Response:
        return Response({"schema": rules.rule_schema()})


class CountView(_SegmentView):
    """`POST segments/count`"""

    def scope_of(self, request: Request) -> str:
        return "segments:read"

    @documented(
        summary="Count a rule / 计算人数",
        words="Reads only and takes no key. A count that is not done within five seconds is null: saved, it is worked out later.",
        body=RuleIn,
        body_example={"rule": RULE},
        answer=CountOut,
        example={"member_count": 1280, "milliseconds": 42},
        refuses=(errors.RuleUnfit, ChainOnly),
    )
    def post(self, request: Request) -> Response:
        self.hold("count", [(_COUNTS, self.client.key_id)])
        counted = rules.count_members(rules.read_rule(self.read(RuleIn)["rule"]))
        return Response({"member_count": counted.member_count, "milliseconds": counted.milliseconds})


class SegmentsView(_SegmentView):
    """`GET segments` and `POST segments`"""

    parser_classes = (ListParser,)

    @documented(
        summary="Segments / 人群列表",
        words="Those in use, newest first; or the one of that id, also a retired one.",
        query=SegmentsQuery,
        answer=SegmentsOut,
        example={"segments": [SEGMENT], "next_cursor": None},
        refuses=_NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        given, owner = self.read_query(SegmentsQuery), self.client.client_id
        if "id" in given:
            card = segment_cards.get_segment_card(given["id"])
            return Response({"segments": [show_segment(card)], "next_cursor": None})
        before = open_cursor(given.get("cursor"), owner=owner)
        cards = segment_cards.list_segment_cards(before=before, limit=given["limit"] + 1)
        page = cards[: given["limit"]]
        following = page[-1].id if len(cards) > len(page) else None
        return Response(
            {
                "segments": [show_segment(card) for card in page],
                "next_cursor": seal_cursor(following, owner=owner),
            }
        )

    @documented(
        summary="Make a segment / 新建人群",
        words=(
            "By a rule: living (kept as the rule says, within seconds) or a snapshot of now. Or a list of members by any of "
            "their names; names that nobody has are told in refused, and the list is made of the others."
        ),
        headers=WRITES,
        body=SegmentIn,
        body_example={"name": "消费过千、三个月没来", "kind": "living", "rule": RULE},
        answer=MadeOut,
        example={**SEGMENT, "state": "computing", "member_count": None, "computed_at": None, "refused": []},
        refuses=(*ONCE, errors.RuleUnfit, errors.SegmentNameUnusable, errors.SegmentHasNoRule, ChainOnly),
    )
    def post(self, request: Request) -> Response:
        given = self.read(SegmentIn)
        is_list = given["kind"] == "listed"
        if ("rule" in given) == is_list:
            raise InvalidInput(fields={"rule": ["unknown" if is_list else "required"]})
        if "members" in given and not is_list:
            raise InvalidInput(fields={"members": ["unknown"]})
        named = given.get("members", [])
        _check_size(members=named)

        def run(_name: str) -> dict[str, Any]:
            values = {"name": given["name"], "note": given["note"], "actor": self.actor}
            ids, refused = _found(named)
            if is_list:
                public_id = campaign_services.create_list(**values, member_ids=ids)
            else:
                public_id = campaign_services.create_segment(**values, kind=given["kind"], rule=given["rule"])
            return {**show_segment(segment_cards.get_segment_card(public_id)), "refused": refused}

        return self.write(run)


class ChangeView(_SegmentView):
    """`POST segments/change`"""

    @documented(
        summary="Change a segment / 修改人群",
        words="Its members follow a new rule within seconds, also those of the segments that use it.",
        headers=WRITES,
        body=ChangeIn,
        body_example={"id": SEGMENT["id"], "version": 1, "rule": RULE},
        answer=SegmentOut,
        example={**SEGMENT, "version": 2, "state": "computing"},
        refuses=(
            *ONCE,
            *_NOT_FOUND,
            errors.RuleUnfit,
            errors.SegmentNameUnusable,
            errors.SegmentChangedMeanwhile,
            errors.SegmentHasNoRule,
        ),
    )
    def post(self, request: Request) -> Response:
        given = self.read(ChangeIn)

        def run(_name: str) -> dict[str, Any]:
            card = segment_cards.get_segment_card(given["id"])
            campaign_services.change_segment(
                public_id=card.public_id,
                version=given["version"],
                name=given.get("name", card.name),
                note=given.get("note", card.note),
                rule=given.get("rule"),
                actor=self.actor,
            )
            return show_segment(segment_cards.get_segment_card(card.public_id))

        return self.write(run)


class SizesView(_SegmentView):
    """`GET segments/sizes`"""

    @documented(
        summary="How a segment grew / 人数历史",
        words="At most a year of days, the latest.",
        query=SizesQuery,
        answer=SizesOut,
        example={"sizes": [SIZE]},
        refuses=_NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(SizesQuery)
        card = segment_cards.get_segment_card(given["id"])
        since, until = days_of(given)
        lines = segment_cards.list_segment_sizes(card.id, since=since, until=until)
        return Response({"sizes": list(map(show_size, lines))})


class MembersView(_SegmentView):
    """`GET segments/members` and `POST segments/members`"""

    parser_classes = (ListParser,)

    @documented(
        summary="Who is in a segment / 人群里的会员",
        words=(
            "As it was last worked out, page by page, under member codes and, where asked for, another name. Never phones. "
            "Reading the first page is on record."
        ),
        query=MembersQuery,
        answer=MembersOut,
        example={"members": [{"member_code": "K7PW2MHT9XCQ", "value": "VIP-20261128"}], "next_cursor": None},
        refuses=_NOT_FOUND,
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(MembersQuery)
        card = segment_cards.get_segment_card(given["id"])
        after = open_cursor(given.get("cursor"), owner=card.id)
        ids = segment_cards.list_segment_member_ids(card.id, after=after, limit=given["limit"] + 1)
        page = ids[: given["limit"]]
        named = member_selectors.list_outside_names(page, given["kind"], given["app_id"])
        if after is None:
            campaign_services.note_members_read(public_id=card.public_id, actor=self.actor)
        told = [named[member_id] for member_id in page if member_id in named]
        following = page[-1] if len(ids) > len(page) else None
        return Response(
            {
                "members": [{"member_code": code, "value": value} for code, value in told],
                "next_cursor": seal_cursor(following, owner=card.id),
            }
        )

    @documented(
        summary="Change who is on a list / 修改名单里的会员",
        words="Only of lists. A name that nobody has is refused by itself; the others come and leave.",
        headers=WRITES,
        body=ListIn,
        body_example={"id": SEGMENT["id"], "add": _NAMED, "remove": []},
        answer=ListedOut,
        example={"added_count": 2, "removed_count": 0, "member_count": 1282, "refused": []},
        refuses=(*ONCE, *_NOT_FOUND, errors.SegmentIsNoList),
    )
    def post(self, request: Request) -> Response:
        given = self.read(ListIn)
        added, removed = given.get("add", []), given.get("remove", [])
        _check_size(add=added, remove=removed)

        def run(_name: str) -> dict[str, Any]:
            coming, refused = _found(added)
            leaving, refused_too = _found(removed, first=len(added))
            came, left = campaign_services.change_list(
                public_id=given["id"], added=coming, removed=leaving, actor=self.actor
            )
            return {
                "added_count": came,
                "removed_count": left,
                "member_count": segment_cards.get_segment_card(given["id"]).member_count,
                "refused": [*refused, *refused_too],
            }

        return self.write(run)


def _check_size(**lists: Sequence[Any]) -> None:
    """Raises InvalidInput when more names are told than one request may have."""
    if sum(map(len, lists.values())) > MOST_NAMED:
        raise InvalidInput(fields={name: ["max_length"] for name in lists})


def _found(named: Sequence[Mapping[str, Any]], *, first: int = 0) -> tuple[list[int], list[dict[str, Any]]]:
    """The members of these names, and the names that nobody has."""
    keys = [(one["kind"], one.get("app_id", ""), one["value"]) for one in named]
    known = member_selectors.list_member_ids_by_keys(keys)
    refused = [
        {
            "index": first + place,
            "key": "",
            "code": "unknown_member",
            "field": "value",
            "message": str(_UNKNOWN),
        }
        for place, key in enumerate(keys)
        if key not in known
    ]
    return [known[key] for key in keys if key in known], refused
