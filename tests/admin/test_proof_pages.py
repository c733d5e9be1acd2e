"""活动效果 at the desk: what the pages say, to whom, and what the files hold."""

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import services
from campaigns.contracts.proof import LeagueQuery
from campaigns.models import CampaignMember, CampaignRun
from campaigns.selectors.league import sum_league
from campaigns.services import outcome_passes
from core import clock
from core.models import AuditEntry
from tests.campaigns.outcome_kit import DAY, make_campaign, make_members, make_run, put_in, sell, work
from tests.cast import Cast

LEAGUE = reverse("admin:campaigns_campaignbook_changelist")
EXPORT = reverse("admin:campaigns_league_export")


def of_campaign(run: CampaignRun) -> str:
    return reverse("admin:campaigns_proof_of_campaign", args=[run.campaign_id])


def of_run(run: CampaignRun) -> str:
    return reverse("admin:campaigns_campaignbook_change", args=[run.pk])


@pytest.fixture
def closed(cast: Cast) -> CampaignRun:
    """A campaign of two variants that worked, over since yesterday: of 150 each 45 and 40 bought, of 150 in the control
    group 12. The eastern store has two thirds of them."""
    campaign = make_campaign(name="=双旦满减", window_days=14)
    run = make_run(campaign, launched_at=clock.now() - 15 * DAY)
    people = make_members(450)
    for place, letter in enumerate(("A", "B", "")):
        hers = people[place * 150 : place * 150 + 150]
        put_in(run, hers[:100], letter=letter, store_id=cast.store.id, guide_id=cast.lina.id)
        put_in(run, hers[100:], letter=letter, store_id=cast.other_store.id, guide_id=cast.chenjing.id)
        bought = {"A": 45, "B": 40, "": 12}[letter]
        sell(hers[:bought], cast.store.id, at=clock.now() - 13 * DAY)
    work()
    return run


@pytest.fixture
def east(cast: Cast) -> Client:
    """The eastern region's account with the right to look."""
    cast.regional.user_permissions.set(
        Permission.objects.filter(codename__in=["view_campaignbook", "export_campaignbook"])
    )
    client = Client()
    client.force_login(cast.regional)
    return client


def sheets_of(answer: Any) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def test_the_report_says_in_one_sentence_what_it_brought(desk: Client, closed: CampaignRun) -> None:
    answer = desk.get(of_campaign(closed))
    assert answer.status_code == 200
    context = answer.context
    assert context["sentence"].startswith("比没收到的人多买了 254.2%（95% 把握在 ")
    assert context["tone"] == "good"
    assert [(variant["letter"], variant["tone"]) for variant in context["variants"]] == [
        ("A", "good"),
        ("B", "good"),
    ]
    tiles = {str(title): number for title, number, _note in context["tiles"]}
    assert (tiles["活动名单"], tiles["购买人数"], tiles["购买金额"]) == ("300", "85", "¥8,500.00")
    assert [(step["words"], step["count"]) for step in context["steps"]] == [
        ("活动名单", "300"), ("已发放", "300"), ("购买", "85"),
    ]  # fmt: skip
    assert (context["days"][0]["treated"], context["days"][-1]["treated"], context["days"][-1]["control"]) == (
        0, 28.33, 8.0,
    )  # fmt: skip
    html = answer.content.decode()
    assert "vendor/echarts" in html


@pytest.mark.parametrize("by", ["variant", "region", "store", "guide", "tier", "nonsense", ""])
def test_every_dimension_adds_up_to_the_whole(desk: Client, closed: CampaignRun, by: str) -> None:
    for url in (of_campaign(closed), of_run(closed)):
        lines = desk.get(url, {"by": by}).context["lines"]
        assert sum(int(line["cells"][0][0]) for line in lines) == 300
        assert sum(int(line["cells"][1][0]) for line in lines) == 85
        reached = desk.get(url, {"by": by, "view": "reached"}).context
        assert [str(head) for head in reached["heads"]] == [
            "名单人数", "已发放", "已发送", "已送达", "看过", "点开", "拿到券", "核销",
        ]  # fmt: skip
        assert sum(int(line["cells"][1][0]) for line in reached["lines"]) == 300


def test_each_line_says_how_much_more_as_far_as_that_may_be_said(desk: Client, closed: CampaignRun) -> None:
    """A line is held to its share of the error; where a store has too few, that is said instead."""
    by_store = {
        line["label"]: line["cells"]
        for line in desk.get(of_campaign(closed), {"by": "store"}).context["lines"]
    }
    words, tone = by_store["南京东路店"][4]
    assert words.startswith("+254.2%（+")
    assert tone == "good"
    assert by_store["天河路店"][4] == ("人太少", "")
    variants = desk.get(of_campaign(closed), {"by": "variant"}).context["lines"]
    assert [line["cells"][4][1] for line in variants] == ["good", "good"]
    alone = variants[0]["cells"][4][0]
    assert alone.startswith("+275.0%（+")
    # Amounts of thirty buyers a side are needed: the control group has twelve.
    assert variants[0]["cells"][-1] == ("—", "")


def test_rates_of_old_customers_say_when_they_are_of_too_few(desk: Client, cast: Cast) -> None:
    run = make_run(launched_at=clock.now() - 15 * DAY)
    people = make_members(440)
    groups = {"A": people[:200], "": people[200:400], "few": people[400:]}
    put_in(run, groups["A"] + groups["few"])
    put_in(run, groups[""], letter="")
    # Those of both groups slept; of the few each had bought once.
    for pk in groups["A"] + groups[""]:
        sell([pk], cast.store.id, at=clock.now() - 90 * DAY)
        sell([pk], cast.store.id, at=clock.now() - 91 * DAY)
    sell(groups["few"][:20], cast.store.id, at=clock.now() - 20 * DAY)
    sell(groups["A"][:100] + groups[""][:20] + groups["few"][:5], cast.store.id, at=clock.now() - 10 * DAY)
    work()
    once, asleep, lost = desk.get(of_campaign(run)).context["rates"]
    assert [str(words) for words in once[1:]] == ["20 人中 5 人", "—", "没有对照组", ""]
    assert [str(words) for words in asleep[1:3]] == ["50.0%（200 人中 100 人）", "10.0%（200 人中 20 人）"]
    assert asleep[3].startswith("更高：相差 +40.0%（95% 把握在 +")
    assert asleep[4] == "good"
    assert [str(words) for words in lost[1:]] == ["—", "—", "—", ""]


def test_a_store_sees_its_own_members_part(east: Client, closed: CampaignRun) -> None:
    context = east.get(of_run(closed)).context
    assert context["report"].treated.member_count == 200
    assert context["report"].control.buyer_count == 12
    assert [line["label"] for line in context["lines"]] == ["南京东路店"]
    [line] = east.get(LEAGUE).context["lines"]
    assert line["cells"][0] == "200"
    foreign = make_run(launched_at=clock.now() - DAY)
    put_in(foreign, make_members(3))
    work()
    assert east.get(of_campaign(foreign)).status_code == 404
    assert east.get(reverse("admin:campaigns_proof_export", args=[foreign.campaign_id])).status_code == 404
    assert len(east.get(LEAGUE).context["lines"]) == 1
    assert east.get(of_run(foreign)).status_code == 302


def test_who_may_not_look_sees_nothing(cast: Cast, closed: CampaignRun) -> None:
    client = Client()
    client.force_login(cast.regional)
    export = reverse("admin:campaigns_proof_export", args=[closed.campaign_id])
    assert {
        client.get(url).status_code for url in (LEAGUE, EXPORT, of_campaign(closed), of_run(closed), export)
    } == {403}
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_campaignbook"))
    client.force_login(cast.regional)
    assert [client.get(url).status_code for url in (LEAGUE, EXPORT, export)] == [200, 403, 403]


def test_the_files_hold_what_the_page_shows(desk: Client, closed: CampaignRun) -> None:
    export = reverse("admin:campaigns_proof_export", args=[closed.campaign_id])
    sheets = sheets_of(desk.get(export, {"run": closed.pk}))
    assert set(sheets) == {"结论", "按版本", "按区域", "按门店", "按导购", "按等级", "每天"}
    assert sheets["结论"][1] == ("活动", "'=双旦满减")
    assert [row[:2] for row in sheets["按版本"][1:]] == [("版本 A", 150), ("版本 B", 150)]
    assert sheets["按门店"][1][:2] == ("南京东路店", 200)
    assert sheets["每天"][-1] == (14, 85, 12)
    [head, first, *_others] = sheets["按门店"]
    named = dict(zip(head, first, strict=True))
    assert (named["结论"], named["多了多少"], named["购买人数"]) == ("有效", 2.5417, 85)
    assert named["多了多少（下限）"] < named["多了多少"] < named["多了多少（上限）"]
    lines = text_of(desk.get(export, {"form": "csv", "by": "store"})).splitlines()
    assert lines[1].startswith("南京东路店,200,200,")
    table = sheets_of(desk.get(EXPORT))["活动排行"]
    assert (table[1][0], table[1][5], table[1][10]) == ("'=双旦满减", "有效", 8_500)
    assert AuditEntry.objects.filter(action="campaigns.proof_exported").count() == 2
    assert AuditEntry.objects.filter(action="campaigns.league_exported").count() == 1
    csv = text_of(desk.get(EXPORT, {"form": "csv"}))
    assert "有效" in csv.splitlines()[1]


def test_campaigns_stand_beside_each_other_sorted_and_filtered(
    desk: Client, cast: Cast, closed: CampaignRun
) -> None:
    small = make_run(make_campaign(name="小活动", goal="visit", kind="reach", store_id=cast.store.id))
    people = make_members(4)
    put_in(small, people[:3], store_id=cast.store.id)
    put_in(small, people[3:], letter="", store_id=cast.store.id)
    old = make_run(launched_at=clock.now() - 200 * DAY)
    put_in(old, people)
    work()

    def names(**asked: str) -> list[str]:
        return [line["name"] for line in desk.get(LEAGUE, asked).context["lines"]]

    assert names() == ["小活动", "=双旦满减"]
    assert names(sort="-amount") == names(sort="-uplift") == ["=双旦满减", "小活动"]
    assert names(sort="amount") == ["小活动", "=双旦满减"]
    assert names(goal="visit") == names(kind="reach") == names(scope="store") == ["小活动"]
    assert names(scope="chain", kind="coupon") == ["=双旦满减"]
    assert names(scope="region") == []
    assert len(names(since=(clock.today() - dt.timedelta(days=300)).isoformat())) == 3
    lines = {line["name"]: line for line in desk.get(LEAGUE).context["lines"]}
    assert (str(lines["小活动"]["finding"]), lines["小活动"]["owner"]) == ("人太少", "南京东路店")


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "0001-01-01"}, {"until": "9999-12-31"}, {"since": "2026-12-02", "until": "2026-12-01"},
        {"since": "2020-01-01", "until": "2026-11-28"}, {"kind": "nothing"}, {"goal": "'"}, {"since": "x\0"},
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_said_so(desk: Client, cast: Cast, asked: dict[str, str]) -> None:
    answer = desk.get(LEAGUE, asked)
    assert answer.status_code == 200
    assert not answer.context["is_valid"]
    assert desk.get(EXPORT, asked).status_code == 200
    assert desk.get(LEAGUE, {"page": "x", "sort": "-nothing"}).status_code == 200


def test_one_purchase_of_two_campaigns_counts_in_each_and_once_together(desk: Client, cast: Cast) -> None:
    she, other = make_members(2)
    runs = [make_run(launched_at=clock.now() - days * DAY) for days in (3, 2)]
    for run in runs:
        put_in(run, [she, other], store_id=cast.store.id)
    sell([she], cast.store.id, at=clock.now() - DAY)
    sell([other], cast.store.id, at=clock.now() - 2.5 * DAY)
    work()
    assert [line["cells"][4] for line in desk.get(LEAGUE).context["lines"]] == ["100.00", "200.00"]
    day = clock.today()
    whole = sum_league(LeagueQuery(day - dt.timedelta(days=30), day))
    assert (whole.buyer_count, whole.order_count, whole.amount_fen) == (2, 2, 20_000)
    # The page asks for it when it stands: over millions of purchases it takes seconds.
    together = desk.get(LEAGUE).context["together_url"]
    assert desk.get(together).content.decode().endswith("2 人买了 2 单，¥200.00")
    assert desk.get(together, {"since": "x"}).content == b""


def test_runs_of_the_same_people_are_not_judged_together(
    desk: Client, cast: Cast, closed: CampaignRun
) -> None:
    again = make_run(closed.campaign, launched_at=clock.now() - 15 * DAY + dt.timedelta(hours=1))
    put_in(again, _members_of(closed, ""), letter="")
    put_in(again, _members_of(closed, "A"))
    work()
    context = desk.get(of_campaign(closed)).context
    assert context["sentence"].startswith("好几次执行里多半是同一批会员")
    assert len(context["runs"]) == 3
    assert desk.get(of_run(closed)).context["tone"] == "good"


def _members_of(run: CampaignRun, letter: str) -> list[int]:
    return list(CampaignMember.objects.filter(run=run, letter=letter).values_list("member_id", flat=True))


def test_before_the_window_is_over_nothing_is_concluded(desk: Client, cast: Cast) -> None:
    run = make_run(launched_at=clock.now() - 2 * DAY)
    people = make_members(400)
    put_in(run, people[:200])
    put_in(run, people[200:], letter="")
    sell(people[:90], cast.store.id, at=clock.now() - DAY)
    sell(people[200:220], cast.store.id, at=clock.now() - DAY)
    work()
    context = desk.get(of_campaign(run)).context
    assert "那时才有结论" in context["sentence"]
    assert context["tone"] == ""
    assert {number for title, number, _note in context["tiles"] if "多卖" in str(title)} == {"说不准"}


def test_a_page_asks_few_questions_however_many_lines(desk: Client, cast: Cast, closed: CampaignRun) -> None:
    desk.get(of_campaign(closed))
    with CaptureQueriesContext(connection) as few:
        desk.get(of_campaign(closed))
    with CaptureQueriesContext(connection) as table:
        desk.get(LEAGUE)
    assert (len(few), len(table)) <= (20, 12)
    make_run(make_campaign())
    for _each in range(3):
        put_in(make_run(make_campaign()), make_members(2), store_id=cast.store.id)
    work()
    with CaptureQueriesContext(connection) as more:
        desk.get(LEAGUE)
    assert len(more) == len(table)


def test_a_run_nobody_has_counted_yet_has_a_page_that_says_how_far_it_is(
    desk: Client, east: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_passes, "SLICE_SIZE", 10)
    run = make_run()
    put_in(run, make_members(40), store_id=cast.other_store.id)
    answer = desk.get(of_campaign(run))
    assert answer.status_code == 200
    assert "一会儿就有数据" in answer.content.decode()
    services.outcomes.open_books(at=clock.now())
    progress = reverse("admin:campaigns_proof_progress", args=[run.campaign_id])
    seen = []
    while not (part := desk.get(progress, {"run": run.pk})).headers.get("HX-Refresh"):
        seen.append((part.context["progress_percent"], part.context["progress_words"][:4]))
        services.outcomes.work_book(run_id=run.pk, at=clock.now())
    assert [percent for percent, _words in seen] == sorted(percent for percent, _words in seen)
    assert {(0, "正在登记"), (25, "正在登记"), (62, "正在统计"), (87, "正在统计")} <= set(seen)
    assert desk.get(of_campaign(run)).context["progress_words"] == ""
    panel = reverse("admin:campaigns_campaign_change", args=[run.campaign_id])
    assert "看完整报告" in desk.get(panel).content.decode()
    # It is of other stores' members.
    assert east.get(progress).status_code == 404
    nobody = Client()
    nobody.force_login(cast.regional)
    cast.regional.user_permissions.clear()
    assert nobody.get(progress).status_code == 403
    draft = make_campaign(state="draft")
    assert desk.get(reverse("admin:campaigns_proof_of_campaign", args=[draft.pk])).status_code == 200
    assert desk.get(reverse("admin:campaigns_proof_of_campaign", args=[10**9])).status_code == 404
