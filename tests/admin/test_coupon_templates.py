"""The template builder: a marketer's words in, every refusal at its field, the card as it will be."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import TemplateTerms
from coupons.models import CouponTemplate
from guides import services as guide_services
from members import services as member_services
from members.contracts import TierTerms
from tests.admin.coupon_desk_kit import TEMPLATE, errors_of, page, press, shown, staff_client
from tests.cast import Cast
from tests.coupons.kit import make_batch, make_template

BOSS = Actor.system("test")
ADD = "coupontemplate_add"


def save(desk: Client, **values: Any) -> CouponTemplate:
    answer = desk.post(page(ADD), TEMPLATE | values)
    assert answer.status_code == 302, errors_of(answer)
    return CouponTemplate.objects.order_by("-pk")[0]


def test_a_marketer_makes_a_template_in_yuan_zhe_and_names(desk: Client, cast: Cast) -> None:
    dealer = guide_services.open_dealer(code="D01", name="锦绣商贸", actor=BOSS)
    tier = member_services.create_tier(terms=TierTerms(rank=1, name="银卡", spend_fen=100_000), actor=BOSS)
    row = save(
        desk,
        store_ids=[str(cast.store.id)],
        region_ids=[str(cast.south.id)],
        dealer_ids=[str(dealer.id)],
        tier_ids=[str(tier.id)],
        channels=["store"],
    )
    assert (row.rate_bp, row.cap_fen, row.min_spend_fen, row.min_quantity) == (8_500, 5_050, 20_000, 0)
    assert (row.weekdays, row.hours) == ([5, 6], ["10:00-14:00", "18:00-24:00"])
    assert row.include_categories == ["shoes", "bags", "belts"]
    assert (row.store_ids, row.region_ids) == ([cast.store.id], [cast.south.id])
    assert (row.dealer_ids, row.tier_ids, row.channels) == ([dealer.id], [tier.id], ["store"])
    html = shown(desk.get(page("coupontemplate_change", row.pk)))
    for words in ('value="8.5"', 'value="50.50"', 'value="200"', "南京东路店", "锦绣商贸", "限银卡", "belts"):
        assert words in html, words
    assert 'value="18:00"' in html
    assert 'value="00:00"' in html


@pytest.mark.parametrize(
    ("field", "values"),
    [("rate_bp", {"rate_bp": "12"}), ("rate_bp", {"rate_bp": ""}), ("hours", {"hours_to": ["10:00", "00:00"]}),
     ("hours", {"hours_from": ["", "18:00"]}), ("valid_days", {"valid_days": "0"}), ("title", {"title": " "}),
     ("tier_ids", {"tier_ids": ["987654"]}), ("cap_fen", {"cap_fen": "x"}), ("store_ids", {"store_ids": ["987654"]}),
     ("kind", {"kind": "free"}), ("gift_value_fen", {"kind": "gift", "gift_name": "包", "gift_value_fen": "0"}),
     ("exclude_categories", {"exclude_categories": ["shoes"]}), ("channels", {"channels": ["moon"]}),
     ("valid_from", {"validity": "fixed"}), ("valid_until", {"validity": "fixed", "valid_from_0": "2027-01-02",
                                                            "valid_until_0": "2027-01-01"}),
     ("weekdays", {"validity": "fixed", "valid_from_0": "2027-01-04", "valid_until_0": "2027-01-05"}),
     ("valid_until", {"validity": "fixed", "valid_from_0": "2027-01-02", "valid_until_1": "10:00"}),
     ("max_per_order", {"is_exclusive": "on", "max_per_order": "2"})],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_its_field_with_all_kept(
    desk: Client, field: str, values: dict[str, Any]
) -> None:
    answer = desk.post(page(ADD), TEMPLATE | values)
    assert field in errors_of(answer)
    assert "xe-f-error" in shown(answer)
    assert "belts" in shown(answer)
    assert not CouponTemplate.objects.exists()


def test_all_faults_are_told_at_once(desk: Client) -> None:
    answer = desk.post(page(ADD), TEMPLATE | {"title": "", "rate_bp": "", "valid_days": "0"})
    assert {"title", "rate_bp", "valid_days"} <= set(errors_of(answer))
    assert "还有 3 处要改" in shown(answer)


def test_what_the_kind_does_not_show_does_not_count(desk: Client) -> None:
    row = save(desk, off_fen="30", gift_name="杯子", valid_from_0="2027-01-01")
    assert (row.off_fen, row.gift_name, row.valid_from) == (None, "", None)


def test_fixed_days_are_whole_days_unless_a_time_is_given(desk: Client) -> None:
    year = clock.today().year + 1  # a day of this year is shown without it
    days = {
        "validity": "fixed", "weekdays": [], "valid_from_0": f"{year}-04-01", "valid_until_0": f"{year}-04-30",
    }  # fmt: skip
    row = save(desk, **days)
    assert (row.valid_from, row.valid_until) == (
        dt.datetime(year, 3, 31, 16, tzinfo=dt.UTC),
        dt.datetime(year, 4, 30, 16, tzinfo=dt.UTC),
    )
    html = shown(desk.get(page("coupontemplate_change", row.pk)))
    assert f'value="{year}-04-30"' in html
    assert f"{year} 年 4 月 1 日 至 {year} 年 4 月 30 日" in html
    row = save(desk, **days, valid_until_1="20:00")
    assert row.valid_until == dt.datetime(year, 4, 30, 12, tzinfo=dt.UTC)


def test_a_form_sent_twice_makes_one_template(desk: Client) -> None:
    form = TEMPLATE | {"public_id": desk.get(page(ADD)).context["public_id"]}
    for _ in range(2):
        assert desk.post(page(ADD), form).status_code == 302
    assert CouponTemplate.objects.count() == 1
    older = CouponTemplate.objects.get()
    make_batch(template_id=older.pk)
    revise = f"{page(ADD)}?revise={older.pk}"
    form = TEMPLATE | {"rate_bp": "8", "public_id": desk.get(revise).context["public_id"]}
    for _ in range(2):
        assert desk.post(revise, form).status_code == 302
    assert list(CouponTemplate.objects.order_by("version").values_list("version", "rate_bp")) == [
        (1, 8_500),
        (2, 8_000),
    ]


@pytest.mark.parametrize(
    "values",
    [
        TEMPLATE,
        TEMPLATE | {"kind": "cash_off", "off_fen": "50", "per_fen": "300", "cap_fen": "100"},
        TEMPLATE | {"kind": "exchange", "units": "1", "cap_fen": ""},
        TEMPLATE | {"kind": "fixed_price", "units": "2", "price_fen": "199", "min_spend_fen": ""},
        TEMPLATE | {"kind": "gift", "gift_name": "帆布包", "gift_value_fen": "39", "validity": "month_end"},
    ],
    ids=lambda values: values["kind"],
)
def test_the_preview_is_the_card_that_is_saved(desk: Client, values: dict[str, Any]) -> None:
    before = desk.post(page("template_preview"), values)
    assert before.context["sentences"], "the worked example"
    row = save(desk, **values)
    after = desk.get(page("coupontemplate_change", row.pk))
    assert before.context["face"] == after.context["face"]
    assert before.context["example_words"] == after.context["example_words"]
    assert before.context["sentences"] == after.context["sentences"]
    assert not CouponTemplate.objects.exclude(pk=row.pk).exists()


def test_the_example_is_worked_out_by_the_pricing_of_real_baskets(desk: Client) -> None:
    form = {
        "kind": "cash_off",
        "validity": "from_today",
        "off_fen": "50",
        "min_spend_fen": "300",
        "valid_days": "7",
    }
    seen = desk.post(page("template_preview"), form)
    assert seen.context["sentences"] == (
        "300 元的篮子：减 50 元，付 250 元",
        "299 元的篮子：还差 ¥1.00 可用",
    )
    tried = desk.post(page("template_preview"), form | {"try_amount": "1000.5"})
    assert tried.context["sentences"] == ("1,000.50 元的篮子：减 50 元，付 950.50 元",)
    last = clock.today() + dt.timedelta(days=6)
    assert seen.context["example_words"].endswith(f"{last.month} 月 {last.day} 日")


@pytest.mark.parametrize(
    "values", [{}, {"kind": "x"}, {"off_fen": "一百"}, {"try_amount": "-3", "off_fen": "9" * 30}]
)
def test_the_preview_of_anything_is_a_card(desk: Client, values: dict[str, Any]) -> None:
    html = shown(desk.post(page("template_preview"), values))
    assert "—" in html


def test_frozen_terms_are_shown_with_the_reason_and_a_new_version_tells_what_changed(desk: Client) -> None:
    template = make_template(title="老券")
    make_batch(template_id=template, name="首发")
    url = page("coupontemplate_change", template)
    html = shown(desk.get(url))
    for words in ("已经开始发放", "另存为新版本", "首发"):
        assert words in html
    assert 'name="off_fen"' not in html
    refused = desk.post(url, TEMPLATE)
    assert refused.status_code == 200
    assert CouponTemplate.objects.get(pk=template).kind == "cash_off"
    revise = f"{page(ADD)}?revise={template}"
    assert 'value="30"' in shown(desk.get(revise))
    changed = {"kind": "cash_off", "off_fen": "20", "valid_days": "7", "validity": "from_today", "title": "老券",
               "colour": "red", "gifting": "nobody"}  # fmt: skip
    assert desk.post(revise, changed).status_code == 302
    newer = CouponTemplate.objects.get(version=2)
    make_batch(template_id=newer.pk)
    versions = desk.get(page("coupontemplate_change", newer.pk)).context["versions"]
    assert [version["changes"] for version in versions] == [[("优惠", "减 30 元", "减 20 元")], []]


def test_retiring_says_how_many_batches_stop(desk: Client) -> None:
    template = make_template()
    make_batch(template_id=template)
    assert "1 个正在发的批次都不再发放" in shown(desk.get(page("coupontemplate_retire", template)))
    press(desk, "coupontemplate_retire", template)
    assert CouponTemplate.objects.get(pk=template).state == "retired"
    assert "已停用" in shown(desk.get(page("coupontemplate_change", template)))
    assert "另存为新版本" not in shown(desk.get(page("coupontemplate_change", template)))


def test_the_list_filters_by_what_a_template_does_and_shows_its_card(desk: Client) -> None:
    free, used, over = make_template(title="新的"), make_template(title="在发"), make_template(title="停了")
    make_batch(template_id=used)
    services.retire_template(template_id=over, actor=BOSS)

    def found(**query: str) -> set[int]:
        return {
            row.pk for row in desk.get(page("coupontemplate_changelist"), query).context["cl"].result_list
        }

    assert found(stands="free") == {free}
    assert found(stands="frozen") == {used}
    assert found(stands="retired") == {over}
    assert found(use="now") == {used}
    assert found(use="none") == {free, over}
    assert found(kind="percent") == set()
    assert found(q="在发") == {used}
    assert "xe-coupon-small" in shown(desk.get(page("coupontemplate_changelist")))


def test_places_are_found_by_typing(desk: Client, cast: Cast) -> None:
    assert "南京东路店" in shown(desk.get(page("pick", "stores"), {"q": "南京"}))
    assert "天河路店" not in shown(desk.get(page("pick", "stores"), {"q": "华东"}))
    assert "没有找到" in shown(desk.get(page("pick", "dealers"), {"q": "\0' or 1=1"}))


def test_without_the_right_nothing_is_made_or_changed(cast: Cast) -> None:
    template = make_template()
    viewer = staff_client(cast, "view_coupontemplate")
    assert viewer.get(page("coupontemplate_changelist")).status_code == 200
    assert "只能查看" in shown(viewer.get(page("coupontemplate_change", template)))
    viewer.post(page("coupontemplate_change", template), TEMPLATE)
    assert CouponTemplate.objects.get().kind == "cash_off"
    assert viewer.post(page(ADD), TEMPLATE).status_code == 403
    nobody = staff_client(cast, "view_coupon")
    for name, args in (
        (ADD, ()),
        ("template_preview", ()),
        ("pick", ("stores",)),
        ("coupontemplate_change", (1,)),
    ):
        assert nobody.post(page(name, *args), TEMPLATE).status_code == 403, name


def test_terms_of_a_service_are_refused_when_no_day_can_come() -> None:
    """The rule is the service's, not the form's."""
    start = dt.datetime(2027, 1, 4, tzinfo=clock.SHANGHAI)
    terms = TemplateTerms(
        title="周", kind="cash_off", off_fen=1, validity="fixed", valid_from=start, weekdays=(6,),
        valid_until=start + dt.timedelta(days=6),
    )  # fmt: skip
    assert "weekdays" in services.list_faults(terms=terms)
