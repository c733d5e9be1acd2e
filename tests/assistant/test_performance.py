"""业绩: numbers, places, the orders behind them, and what a manager sees and decides."""

import datetime as dt
import gzip
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.models import Binding
from sales import selectors as sale_selectors
from sales import services as sale_services
from sales.contracts import ReturnLine, TargetEntry, TargetKey
from sales.models import PerformanceEntry, Sale
from tests.cast import Cast
from tests.sales.kit import back, key_of, line, order, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
HX = {"HX-Request": "true"}


def view_of(client: Any, query: str = "", path: str = "/a/performance/") -> Any:
    return client.get(f"{path}{query}").context["page"].view


def test_a_guide_sees_her_number_her_place_and_what_she_lacks(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = log_in(sold.lina)
    with django_assert_max_num_queries(12):
        page = client.get("/a/performance/").context["page"]
    view = page.view
    assert (view.big, view.before_text, view.numbers[0].value) == ("¥128", "昨天 ¥0", "1")
    assert [(row.rank, row.name, row.value, row.is_me) for row in view.board.rows] == [
        ("1", "王芳", "¥320.50", False),
        ("2", "李娜", "¥128", True),
        ("3", "赵强", "¥10", False),
    ]
    assert (view.board.gap_text, view.board.own_text) == ("再卖 ¥192.50 追上王芳", "您第 2 名，共 3 人")
    with django_assert_max_num_queries(12):
        region = view_of(client, f"?scope=region-{sold.east.id}&period=month&metric=order_count")
    assert [row.value for row in region.board.rows] == ["2", "1", "1"]
    assert region.board.gap_text == "现在您排在最前面"
    chain = view_of(client, "?scope=chain&period=week")
    assert chain.board.rows[0].name == "陈静"
    assert [link.label for link in chain.board.circles] == ["本店", "华东大区", "全公司"]


def test_an_address_that_asks_for_nonsense_shows_the_usual(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.lina)
    view = view_of(client, "?period=century&metric=;drop&scope=region-999999999")
    assert (view.asked.period, view.asked.metric) == ("day", "sales_fen")
    assert next(link for link in view.board.circles if link.is_on).label == "本店"
    # Another region than hers is none of her circles.
    other = view_of(client, f"?scope=region-{sold.south.id}")
    assert [row.name for row in other.board.rows] == ["王芳", "李娜", "赵强"]


def test_the_first_day_is_empty_and_says_so(cast: Cast, log_in: Any) -> None:
    answer = log_in(cast.lina).get("/a/performance/")
    view = answer.context["page"].view
    assert (view.chart, view.board.rows, view.board.gap_text, view.has_target) == (None, (), "", False)
    assert "第一单就是第一名" in answer.content.decode() or gzip.decompress(answer.content).decode()


def test_a_target_draws_its_ring(sold: Cast, log_in: Any, django_assert_max_num_queries: Any) -> None:
    sale_services.set_targets(
        month_on=dt.date(2026, 3, 1),
        entries=[TargetEntry(TargetKey("guide", sold.lina.id), 20_000)],
        actor=Actor.system("boss"),
    )
    client = log_in(sold.lina)
    assert view_of(client).has_target
    with django_assert_max_num_queries(12):
        target = client.get("/a/performance/goal/", headers=HX).context["page"].target
    assert (target.percent, target.headline) == ("89%", "目标 ¥200，还差 ¥22")
    assert target.dash == round(188 * 0.89)
    sale_services.set_targets(
        month_on=dt.date(2026, 3, 1),
        entries=[TargetEntry(TargetKey("guide", sold.lina.id), 4)],
        metric="order_count",
        actor=Actor.system("boss"),
    )
    with django_assert_max_num_queries(12):
        answer = client.get("/a/performance/goal/", headers=HX)
    page = answer.context["page"]
    assert page.target == target
    assert page.lines[0].pace in answer.content.decode()
    assert [(one.label, one.text, one.share) for one in page.lines] == [("订单数", "2 / 4", 50)]
    told = sale_selectors.get_target_progress(
        TargetKey("guide", sold.lina.id), dt.date(2026, 3, 1), metric="order_count"
    )
    assert page.lines[0].pace == (
        f"还差 2，每天要 {told.needed_daily_value}，照这样月底约 {told.forecast_value}"
    )
    assert client.get("/a/performance/goal/?who=store", headers=HX).status_code == 404


def test_the_page_is_light(sold: Cast, log_in: Any) -> None:
    answer = log_in(sold.lina).get("/a/performance/", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < 15_000
    assert "echarts" not in gzip.decompress(answer.content).decode()


def beat(client: Any, seen: str, view: str = "performance", **more: str) -> Any:
    values = {"since": "0", "view": view, "seen": seen, **more}
    return client.get("/a/pulse/", values, headers=HX)


def test_a_sale_comes_with_the_next_pulse_and_nothing_costs_little(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = log_in(sold.lina)
    seen = client.get("/a/performance/").context["page"].seen
    with django_assert_max_num_queries(4):
        assert beat(client, seen).status_code == 204
    tell(order("A9", line(amount_fen=20_000)))
    answer = beat(client, seen)
    page = answer.context["page"]
    assert (page.performance.big, page.performance.board.rows[0].name) == ("¥328", "李娜")
    text = answer.content.decode()
    assert 'id="performance" hx-swap-oob="true"' in text
    assert 'id="today-badge"' not in text  # no news of members
    assert beat(client, page.seen).status_code == 204


def test_a_sale_elsewhere_changes_the_mark_and_not_the_page(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.lina)
    seen = client.get("/a/performance/").context["page"].seen
    tell(order("A9", line(amount_fen=20_000), serving_guide="T004", store_code="T02"))
    answer = beat(client, seen)
    assert answer.context["page"].performance is None
    assert 'id="performance"' not in answer.content.decode()
    assert beat(client, answer.context["page"].seen).status_code == 204


def test_a_booking_with_lower_numbers_that_commits_later_is_noticed(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.lina)
    first = (
        PerformanceEntry.objects.filter(sale_ref=Sale.objects.get(order_no="A1").pk).order_by("pk").first()
    )
    assert first is not None
    newest = PerformanceEntry.objects.order_by("-pk").first()
    values = {
        field.attname: getattr(newest, field.attname) for field in PerformanceEntry._meta.concrete_fields
    }
    PerformanceEntry.objects.filter(pk=first.pk).delete()
    seen = client.get("/a/performance/").context["page"].seen
    PerformanceEntry.objects.create(**{**values, "id": first.pk})
    assert beat(client, seen).status_code == 200


def test_every_number_opens_its_orders_and_each_is_explained(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    tell(back_of("A1", 12_800))
    client = log_in(sold.lina)
    with django_assert_max_num_queries(12):
        rows = client.get("/a/performance/orders/?period=month").context["page"].list.rows
    assert [(row.title, row.value, row.returned_text) for row in rows] == [
        ("A1", "¥0", "已退 ¥128"),
        ("A5", "¥50", ""),
    ]
    assert "接待导购李娜 100%" in rows[0].words
    returned = client.get("/a/performance/orders/?period=month&metric=return_fen").context["page"]
    assert [row.title for row in returned.list.rows] == ["A1"]
    with django_assert_max_num_queries(12):
        page = client.get(f"/a/performance/orders/{rows[0].public_id}/").context["page"]
    assert [(one.title, one.value) for one in page.entries] == [("销售", "+¥128"), ("退货", "-¥128")]
    assert (page.entries_total, page.returned, page.member_text, page.may_decide) == (
        "¥0",
        "¥128",
        "小美",
        False,
    )


def back_of(order_no: str, fen: int) -> Any:
    return back(
        "R1", ReturnLine(product_code="A1", quantity=1, amount_fen=fen, line_number=1), order_no=order_no
    )


def test_the_list_goes_on_below(cast: Cast, log_in: Any) -> None:
    tell(*(order(f"B{number:02d}", line(amount_fen=100 + number)) for number in range(23)))
    client = log_in(cast.lina)
    page = client.get("/a/performance/orders/").context["page"].list
    assert len(page.rows) == 20
    rest = client.get(page.next_url, headers=HX).context["page"]
    assert (len(rest.rows), rest.next_url) == (3, "")
    assert {row.title for row in (*page.rows, *rest.rows)} == {f"B{number:02d}" for number in range(23)}


def test_strangers_orders_and_the_stores_pages_are_not_hers(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.lina)
    other = Sale.objects.get(order_no="A2").public_id
    for path in (
        f"/a/performance/orders/{other}/",
        f"/a/performance/orders/{other}/decide/",
        "/a/performance/orders/nothing/",
        "/a/performance/orders/a%00b/",
        "/a/performance/store/",
        "/a/performance/store/team/",
        "/a/performance/store/orders/",
        "/a/performance/orders/rows/?who=store",
    ):
        assert client.get(path).status_code == 404, path
    # The pulse of a guide who says she looks at a store's page tells nothing.
    assert beat(client, "", view="store").status_code == 204
    assert log_in(sold.zhaoqiang).get(f"/a/performance/orders/{other}/").status_code == 200
    south = Sale.objects.get(order_no="A4").public_id
    assert log_in(sold.zhaoqiang).get(f"/a/performance/orders/{south}/").status_code == 404


def test_a_manager_sees_her_store_and_its_guides(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = log_in(sold.zhaoqiang)
    assert view_of(client).store_url
    with django_assert_max_num_queries(12):
        page = client.get("/a/performance/store/").context["page"]
    view = page.view
    assert (view.big, view.numbers[0].value) == ("¥458.50", "3")
    with django_assert_max_num_queries(12):
        team = client.get("/a/performance/store/team/", headers=HX).context["page"]
    assert [(row.name, row.value, row.share) for row in team.guides] == [
        ("王芳", "¥320.50", 100),
        ("李娜", "¥128", 40),
        ("赵强", "¥10", 3),
    ]
    assert [(line.where, line.text) for line in view.ranks] == [
        ("华东大区", "第 1 名"),
        ("全公司", "第 2 名，差 ¥441.50 追上前一家"),
    ]
    assert team.effective[0].text.startswith("0 / 3 人")
    tell(order("A9", line(amount_fen=20_000)))
    assert beat(client, page.seen, view="store").context["page"].store.big == "¥658.50"


def test_a_manager_opens_what_a_guide_of_her_store_did_there(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    sale_services.set_targets(
        month_on=dt.date(2026, 3, 1),
        entries=[TargetEntry(TargetKey("guide", sold.lina.id), 20_000)],
        actor=Actor.system("boss"),
    )
    # What she sold in the other store is that manager's to see.
    tell(order("A9", line(amount_fen=99_900), serving_guide="T001", store_code="T02"))
    client = log_in(sold.zhaoqiang)
    rows = client.get("/a/performance/store/team/?period=month", headers=HX).context["page"].guides
    url = next(row.url for row in rows if row.name == "李娜")
    with django_assert_max_num_queries(13):
        page = client.get(url).context["page"]
    assert (page.name, page.view.big, page.view.numbers[0].value) == ("李娜", "¥178", "2")
    assert [(line.where, line.text) for line in page.lines] == [
        ("本店排行", "第 2 名，差 ¥142.50 追上前一名"),
        ("本周有效导购", "2 单，还差 1 单"),
        ("本月有效导购", "3 单，还差 12 单"),
    ]
    assert client.get(page.goal_url, headers=HX).context["page"].target.headline.startswith("目标 ¥200")
    listed = client.get(page.orders.next_url, headers=HX).context["page"].rows
    assert [row.title for row in listed] == ["A1", "A5"]
    assert all(client.get(f"/a/performance/orders/{row.public_id}/").status_code == 200 for row in listed)
    behind = client.get(page.view.big_url).context["page"]
    assert ([row.title for row in behind.list.rows], behind.title) == (["A1", "A5"], "李娜的订单")
    assert behind.periods[0].url == page.view.big_url.partition("?")[0]


def test_a_guide_who_moved_or_left_shows_what_she_did_here_and_no_more(sold: Cast, log_in: Any) -> None:
    url = f"/a/performance/store/guides/{sold.lina.public_id}/"
    guide_services.move_guide(
        guide_id=sold.lina.id, store_id=sold.other_store.id, role="guide", actor=Actor.system("boss")
    )
    client = log_in(sold.zhaoqiang)
    page = client.get(f"{url}?period=month").context["page"]
    assert (page.note, page.view.big, page.view.has_target, len(page.lines)) == ("已调走", "¥178", False, 1)
    assert client.get(page.goal_url, headers=HX).status_code == 404
    row = next(
        one
        for one in client.get("/a/performance/store/team/?period=month", headers=HX).context["page"].guides
        if one.name == "李娜"
    )
    assert (row.note, row.url) == ("已调走", f"{url}?period=month")
    guide_services.leave_guide(guide_id=sold.wangfang.id, actor=Actor.system("boss"))
    gone = client.get(f"/a/performance/store/guides/{sold.wangfang.public_id}/").context["page"]
    assert (gone.note, gone.view.big, gone.view.has_target) == ("已离职", "¥320.50", False)


def test_a_guest_who_sold_here_is_named_and_opens_nothing(sold: Cast, log_in: Any) -> None:
    tell(order("A9", line(amount_fen=5_000), serving_guide="T004"))
    client = log_in(sold.zhaoqiang)
    rows = client.get("/a/performance/store/team/", headers=HX).context["page"].guides
    assert [(row.name, row.note, row.url) for row in rows if row.value == "¥50"] == [("陈静", "外店", "")]


def test_guides_of_other_stores_look_like_those_there_are_not(sold: Cast, log_in: Any) -> None:
    manager, guide = log_in(sold.zhaoqiang), log_in(sold.lina)
    hers, strangers = sold.wangfang.public_id, sold.chenjing.public_id
    answers = set()
    for who in (strangers, "AAAAAAAAAAAAAAAA", "store", "a%00b"):
        base = f"/a/performance/store/guides/{who}/"
        for path in (base, f"{base}orders/", f"{base}facts/?metric=new_binding_count"):
            answer = manager.get(path)
            answers.add((answer.status_code, answer.content.decode().replace(who, "")))
    for who in (strangers, "AAAAAAAAAAAAAAAA"):
        for path in ("orders/rows/", "facts/rows/", "goal/"):
            answer = manager.get(f"/a/performance/{path}?metric=new_binding_count&who={who}", headers=HX)
            assert answer.status_code == 404, (path, who)
    assert {status for status, _text in answers} == {404}
    assert len({text for _status, text in answers}) == 1
    for path in (
        f"/a/performance/store/guides/{hers}/",
        f"/a/performance/store/guides/{sold.lina.public_id}/",
        f"/a/performance/store/guides/{hers}/orders/",
        f"/a/performance/orders/rows/?who={hers}",
        f"/a/performance/goal/?who={hers}",
    ):
        assert manager.get(path, headers=HX).status_code == 200 or "goal" in path, path
        assert guide.get(path, headers=HX).status_code == 404, path


def test_a_members_tab_says_what_she_bought(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    tell(order("A6", line(amount_fen=7_000), line("B2", 3_000), member=key_of(sold.xiaomei)))
    tell(back_of("A1", 12_800))
    client = log_in(sold.lina)
    with django_assert_max_num_queries(12):
        part = client.get(f"/a/members/{sold.xiaomei.public_id}/?tab=sales").context["page"].opened.part
    assert (part.amount_text, part.count_text, part.average_text) == ("¥100", "1", "¥100")
    assert [(row.value, row.returned_text) for row in part.rows] == [("¥100", ""), ("¥128", "已退 ¥128")]
    assert part.categories[0][1] == "2 件 · ¥100"
    answer = log_in(sold.chenjing).get(f"/a/members/{sold.xiaomei.public_id}/?tab=sales")
    assert answer.status_code == 404


def test_members_and_coupons_behind_a_number_are_named_as_far_as_she_may_know(
    sold: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    guide_services.bind_member(
        member_id=sold.xiaoli.id, guide_id=sold.wangfang.id, source="scan", actor=Actor.wechat()
    )
    sale_services.catch_up_facts(look_back=dt.timedelta(days=7), at=clock.now() + dt.timedelta(minutes=1))
    client = log_in(sold.lina)
    with django_assert_max_num_queries(12):
        view = view_of(client, "?metric=new_binding_count")
    assert [(one.label, one.value) for one in view.facts] == [
        ("新增会员", "0"),
        ("新增绑定", "1"),
        ("核销", "0"),
        ("素材分享", "0"),
    ]
    assert [(row.name, row.value) for row in view.board.rows] == [("李娜", "1"), ("王芳", "1")]
    assert [link.label for link in view.board.metrics][-5:] == [
        "新增会员", "新增绑定", "核销数", "素材分享", "完成任务",
    ]  # fmt: skip
    with django_assert_max_num_queries(12):
        [row] = client.get(view.facts[1].url).context["page"].list.rows
    assert (row.title, row.value, row.words) == ("小美", "+1", "扫导购码")
    assert client.get(row.url).status_code == 200
    assert client.get("/a/performance/facts/?metric=sales_fen").status_code == 404
    assert client.get("/a/performance/store/facts/?metric=new_binding_count").status_code == 404
    manager = log_in(sold.zhaoqiang)
    rows = manager.get("/a/performance/store/facts/?metric=new_binding_count").context["page"].list.rows
    assert [(row.title, bool(row.url)) for row in rows] == [("小丽", True), ("小美", True)]
    assert ["王芳" in row.foot for row in rows] == [True, False]
    guide_services.rebind_member(
        member_id=sold.xiaomei.id,
        guide_id=sold.chenjing.id,
        source="staff",
        reason="调整",
        actor=Actor.wechat(),
    )
    [row] = log_in(sold.lina).get(view.facts[1].url).context["page"].list.rows
    assert (row.title, row.url) == ("小**", "")


def test_a_new_binding_comes_with_the_next_pulse(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.lina)
    seen = client.get("/a/performance/").context["page"].seen
    sale_services.reconcile_facts(kind="binding", refs=Binding.objects.values_list("pk", flat=True))
    assert beat(client, seen).context["page"].performance.facts[1].value == "1"
