"""Segments in the admin: the builder's fragments, what is saved, whose members an account sees, what is on record."""

import io
import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from campaigns import services
from campaigns.admin.segment_form import apply_act, draft_from_post, draft_of, rule_of, sight_of
from campaigns.models import Segment, SegmentMember
from campaigns.selectors import segments
from core import clock
from core.models import AuditEntry
from members import services as member_services
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_template

pytestmark = pytest.mark.django_db
BOUND: dict[str, Any] = {"n.r": "all", "n.r-0": "guides.bound"}
FOLLOWING: dict[str, Any] = {"n.r": "all", "n.r-0": "members.following"}


@pytest.fixture
def head(cast: Cast, client: Client) -> Client:
    client.force_login(cast.head_office)
    return client


@pytest.fixture
def east(cast: Cast, client: Client) -> Client:
    codes = ("view_segment", "view_segmentmember", "export_segmentmember", "view_member")
    cast.regional.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    client.force_login(cast.regional)
    return client


def url(page: str, *args: Any) -> str:
    return reverse(f"admin:campaigns_segment_{page}", args=args)


def make(rule: Any, name: str = "关注的人") -> Segment:
    public_id = services.create_segment(name=name, kind="living", rule=rule, actor=DIRECTOR)
    services.work_segments()
    return Segment.objects.get(public_id=public_id)


ALL_SORTS = {
    "all": [
        {"is": "members.age", "with": {"years": {"at_least": 18, "at_most": 40}}},
        {"any": [
            {"is": "sales.amount", "with": {"of": "year", "amount": {"at_least": 128_050}}},
            {"is": "members.joined", "with": {"when": {"last_days": 30}}},
            {"none": [{"is": "members.joined", "with": {"when": {"from": "2026-01-01", "until": "2026-02-01"}}}]},
        ]},
        {"is": "members.gender", "with": {"genders": ["unknown", "female"]}},
        {"is": "guides.store", "with": {"stores": ["T01", "T02"]}},
        {"is": "members.place", "with": {"cities": ["上海市"]}},
        {"is": "coupons.expiring", "with": {"days": 3, "at_least": 2}},
        {"is": "sales.rfm_group", "with": {"groups": [7, 0]}},
    ]
}  # fmt: skip


def fields_of(sight: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends of the form that was drawn."""
    sent: dict[str, Any] = {f"n.{sight['path']}": sight["what"]}
    for part in sight.get("parts", ()):
        sent |= fields_of(part)
    for field in sight.get("fields", ()):
        if field["sort"] == "found":
            sent[f"{field['name']}.key"] = [key for key, _label in field["chosen"]]
        elif field["sort"] in {"ticks", "box"}:
            sent[f"{field['name']}.key"] = [key for key, _label, is_chosen in field["options"] if is_chosen]
        else:
            sent |= {f"{field['name']}.{piece}": value for piece, value in field["typed"].items()}
    return sent


def post_of(fields: dict[str, Any]) -> Any:
    post = QueryDict(mutable=True)
    for name, value in fields.items():
        post.setlist(name, value if isinstance(value, list) else [value])
    return post


def test_the_form_says_the_rule_it_was_drawn_for(cast: Cast) -> None:
    rule = segments.write_rule(segments.read_rule(ALL_SORTS))
    drawn = fields_of(sight_of(draft_of(rule)))
    assert rule_of(draft_from_post(post_of(drawn))) == rule


def test_nodes_are_added_and_taken_away(cast: Cast) -> None:
    root = draft_of(ALL_SORTS)
    apply_act(root, "add:r-1-2", "members.following")
    apply_act(root, "drop:r-0", "")
    assert rule_of(root)["all"][0]["any"][2]["none"][1] == {"is": "members.following", "with": {}}
    for act in ("drop:r", "drop:r-99", "add:r-5-1", "add:x", "", "add:r-1-2-0", "drop:r-0-0-0-0-0"):
        before = rule_of(root)
        apply_act(root, act, "members.following")
        assert rule_of(root) == before
    apply_act(root, "add:r", "members.shoe")
    assert len(root.parts) == 6


def test_the_builder_counts_as_it_is_filled(head: Client, cast: Cast) -> None:
    page = head.get(url("add")).content.decode()
    assert "加上条件，这里马上会数" in page
    part = head.post(url("build"), {"n.r": "all", "act": "add:r", "new.r": "members.age"})
    assert 'name="v.r-0.years.low"' in part.content.decode()
    assert part["HX-Trigger-After-Swap"] == "segment-changed"
    assert "条件填完整后" in head.post(url("count"), {"n.r": "all", "n.r-0": "members.age"}).content.decode()
    counted = head.post(url("count"), FOLLOWING).content.decode()
    assert "<b>2</b> 位会员" in " ".join(counted.split())
    assert cast.xiaomei.code in counted
    pivots = head.post(url("pivots"), FOLLOWING).content.decode()
    assert "南京东路店" in pivots
    assert "没有专属导购" in pivots


def test_a_rule_with_faults_is_not_saved_and_each_stands_at_its_field(head: Client) -> None:
    form = {
        "name": "会员", "kind": "living", "n.r": "all", "n.r-0": "members.age", "v.r-0.years.low": "十八",
        "n.r-1": "any", "n.r-2": "sales.amount", "v.r-2.amount.low": "12.345", "n.r-3": "members.joined",
    }  # fmt: skip
    page = head.post(url("add"), form)
    content = page.content.decode()
    assert not Segment.objects.exists()
    # At their fields, and beside them while one types.
    assert content.count("请填整数") == content.count("请填金额，最多两位小数") == 2
    told = head.post(url("count"), form)
    assert told.context["wrong"] == ["年龄 · 周岁：请填整数", "消费金额 · 金额：请填金额，最多两位小数"]
    assert "条件填完整后" in head.post(url("count"), {"n.r": "all", "n.r-0": "members.age"}).content.decode()
    assert "这一组里还没有条件" in content
    assert "还没有填写" in content
    assert 'value="十八"' in content, "what was typed stays"


def test_a_segment_is_made_changed_refreshed_and_retired(head: Client, cast: Cast) -> None:
    made = head.post(url("add"), {"name": "关注的人", "note": "试试", "kind": "living", **FOLLOWING})
    row = Segment.objects.get()
    assert made["Location"] == url("change", row.pk)
    asks_again = 'hx-trigger="every 2s"'
    assert asks_again in head.get(url("change", row.pk)).content.decode()
    services.work_segments()
    page = head.get(url("change", row.pk)).content.decode()
    assert asks_again not in page
    assert "&quot;is&quot;: &quot;members.following&quot;" in page
    assert "正在关注公众号" in page
    assert "人数变化" in page
    edit = {"name": "有导购的人", "note": "", "version": "1", **BOUND}
    assert head.post(url("edit", row.pk), edit)["Location"] == url("change", row.pk)
    assert "别人刚刚改过" in head.post(url("edit", row.pk), edit).content.decode()
    services.work_segments()
    assert list(SegmentMember.objects.values_list("member_id", flat=True)) == [cast.xiaomei.id]
    assert head.get(url("refresh", row.pk)).status_code == 403
    assert head.post(url("refresh", row.pk)).status_code == 302
    assert "1 位会员会被清出" in head.get(url("retire", row.pk)).content.decode()
    head.post(url("retire", row.pk), {"_confirmed": "1"})
    row.refresh_from_db()
    assert not row.is_active
    assert "已停用" in head.get(url("change", row.pk)).content.decode()
    actions = AuditEntry.objects.filter(subject_kind="campaigns.segment").values_list("action", flat=True)
    assert list(actions.order_by("pk")) == [
        "campaigns.segment_created", "campaigns.segment_changed", "campaigns.segment_refreshed",
        "campaigns.segment_retired",
    ]  # fmt: skip


def test_the_explanation_names_each_condition_and_what_she_has(head: Client, cast: Cast) -> None:
    rule = json.dumps({"all": [{"is": "guides.guide", "with": {"guides": ["T001"]}}]})
    said = head.post(url("explain"), {"rule": rule, "who": cast.xiaomei.code}).content.decode()
    assert "在这个人群里" in said
    assert "李娜（T001）" in said
    assert (
        "不在这个人群里"
        in head.post(url("explain"), {"rule": rule, "who": cast.xiaoli.code}).content.decode()
    )
    for who, words in (("", "请填会员码"), ("0000", "没有找到"), ("\0", "请填会员码")):
        assert words in head.post(url("explain"), {"rule": rule, "who": who}).content.decode()
    twin = member_services.rename_member(member_id=cast.xiaoli.id, name="小美", actor=DIRECTOR)
    asked = head.post(url("explain"), {"rule": rule, "who": "小美"}).content.decode()
    for card in (cast.xiaomei, twin):  # of two who are called so she picks one
        assert f'hx-vals=\'{{"who": "{card.code}"}}\'' in asked
    for bad in ("", "{", '{"all":[' * 5_000):
        assert "人群条件有误" in head.post(url("explain"), {"rule": bad, "who": "小美"}).content.decode()


def test_marked_is_what_decides_and_quiet_what_need_not_be(head: Client, cast: Cast) -> None:
    here, there = ({"is": "guides.store", "with": {"stores": [code]}} for code in ("T01", "T02"))
    inside = {"any": [here, there]}, {"none": [there]}

    def colours(rule: Any) -> list[str]:
        said = head.post(url("explain"), {"rule": json.dumps(rule), "who": cast.xiaomei.code})
        return re.findall(r'<li><span class="xe-seg-(\w+)"', said.content.decode())

    assert colours({"all": inside}) == ["yes", "yes", "yes", "idle", "yes", "idle"]
    assert colours({"all": [there, {"none": [here, there]}]}) == ["no", "no", "no", "no", "idle"]


def test_a_region_counts_and_explains_its_own_members_only(east: Client, cast: Cast) -> None:
    counted = " ".join(east.post(url("count"), FOLLOWING).content.decode().split())
    assert "<b>1</b> 位会员" in counted
    assert "只数了归您查看的会员" in counted
    assert cast.xiaoli.code not in counted
    rule = json.dumps({"all": [{"is": "members.following"}]})
    assert "没有找到" in east.post(url("explain"), {"rule": rule, "who": cast.xiaoli.code}).content.decode()
    row = make({"all": [{"is": "members.following"}]})
    listed = east.get(reverse("admin:campaigns_segmentmember_changelist"), {"segment__id__exact": row.pk})
    assert cast.xiaomei.code in listed.content.decode()
    assert cast.xiaoli.code not in listed.content.decode()
    for page in ("edit", "refresh", "retire"):
        assert east.post(url(page, row.pk)).status_code == 403
    assert east.get(url("add")).status_code == 403
    assert east.get(url("upload_list")).status_code == 403


@pytest.mark.parametrize("who", ["nobody", "everybody"])
def test_nobody_and_everybody_go_through_the_builder(head: Client, cast: Cast, who: str) -> None:
    nobody = {"{}": "all", "{}-0": "members.following", "{}-1": "none", "{}-1-0": "members.following"}
    form: dict[str, Any] = {f"n.{path.format('r')}": what for path, what in nobody.items()}
    if who == "everybody":
        form = {"n.r": "none"} | {f"n.{path.format('r-0')}": what for path, what in nobody.items()}
    living = apps.get_model("members", "Member").objects.living().count() if who == "everybody" else 0
    counted = head.post(url("count"), form)
    assert counted.context["counted"].member_count == living
    assert len(counted.context.get("sample", ())) == living
    assert head.post(url("pivots"), form).status_code == 200
    said = head.post(url("explain"), form | {"who": cast.xiaomei.code}).content.decode()
    assert ("不在这个人群里" in said) == (who == "nobody")
    made = head.post(url("add"), form | {"name": who, "kind": "living"})
    services.work_segments()
    row = Segment.objects.get()
    assert (made["Location"], row.member_count) == (url("change", row.pk), living)
    page = head.get(url("change", row.pk))
    assert page.context["size"] == str(living)
    assert head.get(url("edit", row.pk)).context["counted"].member_count == living
    people = head.get(url("people"), {"rule": json.dumps(row.rule)})
    assert len(people.context["lines"]) == living
    assert ("没有符合条件的会员" in people.content.decode()) == (who == "nobody")


def test_the_members_of_a_rule_are_listed_page_by_page_before_it_is_saved(head: Client, cast: Cast) -> None:
    counted = head.post(url("count"), FOLLOWING)
    assert "people_url" in counted.context
    page = head.get(counted.context["people_url"])
    assert [line[3] for line in page.context["lines"]] == [cast.xiaomei.code, cast.xiaoli.code]
    members = apps.get_model("members", "Member").objects
    for number in range(60):
        members.create(name=f"会员{number}", source="pos", registered_at=clock.now(), is_following=True)
    first = head.get(counted.context["people_url"])
    second = head.get(url("people") + first.context["after_url"])
    assert (len(first.context["lines"]), len(second.context["lines"])) == (50, 12)
    assert not {line[0] for line in first.context["lines"]} & {line[0] for line in second.context["lines"]}
    assert (first.context["first_url"], second.context["after_url"]) == ("", "")
    assert head.get(first.context["keep_url"]).context["counted"].member_count == 62
    for rule, after in (("", "0"), ("{", "x"), ('{"all":[' * 5_000, "-1"), ("\0", "9" * 30)):
        assert "人群条件有误" in head.get(url("people"), {"rule": rule, "after": after}).content.decode()


def test_the_members_of_a_rule_are_those_whom_the_account_sees(east: Client, cast: Cast) -> None:
    rule = json.dumps({"all": [{"is": "members.following"}]})
    page = east.get(url("people"), {"rule": rule, "name": "关注的人"})
    assert [line[3] for line in page.context["lines"]] == [cast.xiaomei.code]
    assert (page.context["is_part"], page.context["keep_url"]) == (True, "")
    cast.regional.user_permissions.remove(Permission.objects.get(codename="view_segmentmember"))
    assert east.get(url("people"), {"rule": rule}).status_code == 403


def test_members_are_exported_without_names_and_it_is_on_record(east: Client, cast: Cast) -> None:
    row = make({"all": [{"is": "members.following"}]})
    answer = east.get(reverse("admin:campaigns_segmentmember_export"), {"segment__id__exact": row.pk})
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active  # type: ignore[attr-defined]
    rows = list(sheet.iter_rows(values_only=True))
    assert [line[:3:2] for line in rows[1:]] == [(cast.xiaomei.code, "关注的人")]
    assert AuditEntry.objects.filter(action="campaigns.segmentmember_exported").count() == 1


def test_a_list_is_uploaded(head: Client, cast: Cast) -> None:
    lines = f"会员码\n{cast.xiaomei.code}\n{cast.xiaomei.code}\n没有的\n"
    file = SimpleUploadedFile("名单.csv", lines.encode())
    made = head.post(url("upload_list"), {"name": "活动名单", "file": file}, follow=True)
    row = Segment.objects.get()
    assert (row.kind, row.member_count) == ("listed", 1)
    assert "2 行没有用上" in made.content.decode()
    assert "修改名称" in made.content.decode()
    file.seek(0)
    again = head.post(url("upload_list"), {"name": "活动名单", "file": file})
    assert "不能和使用中的人群同名" in again.content.decode()
    empty = head.post(url("upload_list"), {"name": "空", "file": SimpleUploadedFile("a.csv", b"")})
    assert Segment.objects.count() == 1
    assert empty.status_code == 200


def test_without_the_right_there_is_nothing(cast: Cast, client: Client) -> None:
    client.force_login(cast.regional)
    for page in ("build", "count", "pivots", "explain"):
        assert client.post(url(page), FOLLOWING).status_code == 403
    assert client.get(url("find", "guides.store", "stores")).status_code == 403
    assert client.get(url("changelist")).status_code == 403


def test_shops_guides_goods_and_coupons_are_found_by_typing(head: Client, cast: Cast) -> None:
    def found(code: str, name: str, words: str) -> str:
        return head.get(url("find", code, name), {"q": words}).content.decode()

    assert 'data-pick="T01">南京东路店（T01）' in found("guides.store", "stores", "南京")
    assert 'data-pick="T01"' in found("sales.purchases", "stores", "t01")
    assert 'data-pick="T001">李娜（T001）· 南京东路店' in found("guides.guide", "guides", "李娜")
    make_template(title="满三百减五十")
    assert ">满三百减五十</button>" in found("coupons.held", "templates", "三百")
    for name in ("categories", "products"):
        apps.get_model("sales", {"categories": "Category", "products": "Product"}[name]).objects.create(
            code="SH", name="衬衫", **({"created_at": clock.now()} if name == "products" else {})
        )
        assert 'data-pick="SH">衬衫（SH）' in found("sales.purchases", name, "衬")
    pasted = found("guides.store", "stores", "T01， T02\nnone T01")
    assert pasted.count("data-pick=") == 2
    assert "全部加入（2 个）" in pasted
    for code, name, words in (
        ("guides.store", "stores", "没有这家"), ("guides.store", "stores", "%_"), ("guides.store", "stores", "\0"),
        ("guides.store", "nothing", ""), ("no.such", "stores", ""), ("members.tag", "tags", ""),
    ):  # fmt: skip
        assert "data-pick-all" not in found(code, name, words)
    assert "没有找到" in found("guides.store", "stores", "没有这家")
    assert "没有找到" in found("members.tag", "tags", "")


def test_a_shop_that_is_gone_is_shown_by_its_code(cast: Cast) -> None:
    sight = sight_of(draft_of({"all": [{"is": "guides.store", "with": {"stores": ["T01", "X99"]}}]}))
    [field] = sight["parts"][0]["fields"]
    assert field["chosen"] == [("T01", "南京东路店"), ("X99", "X99（已不存在）")]
