"""Coupons and redemptions as staff look them up: filters, codes for who may see them, making void, files."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from core.models import AuditEntry
from coupons import services
from coupons.models import Coupon, Redemption, VoidJob
from members import services as member_services
from members.contracts import TierTerms
from tests.admin.coupon_desk_kit import page, press, sheet_of, shown, staff_client
from tests.cast import Cast
from tests.coupons.kit import BOSS, claim, make_batch, make_members, make_template, order


def found(desk: Client, name: str, **query: str) -> list[int]:
    return [row.pk for row in desk.get(page(f"{name}_changelist"), query).context["cl"].result_list]


def use(code: str, store_id: int, **values: Any) -> Redemption:
    services.redeem_coupon(code=code, order=order(store_id, **values), request_id=code, actor=BOSS)
    return Redemption.objects.order_by("-pk")[0]


def void(desk: Client, ids: list[int], query: str = "", **values: Any) -> Any:
    ticked = [str(one) for one in ids]
    sent = {"action": "void_chosen", "_selected_action": ticked, "key": "-".join(ticked), **values}
    return desk.post(page("coupon_changelist") + query, sent)


def test_a_coupon_is_found_by_code_or_holder(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    claim(make_batch(), cast.xiaoli.id)
    for query in (issued.code, issued.code.lower(), "小美", cast.xiaomei.code):
        assert found(desk, "coupon", q=query) == [issued.id], query


def test_filters_show_what_a_coupon_counts_for_now(desk: Client, cast: Cast) -> None:
    old = claim(make_batch(template_id=make_template(valid_days=1), at=_ago(9)), cast.xiaomei.id, at=_ago(9))
    new = services.issue_coupon(
        batch_id=make_batch(), member_id=cast.xiaomei.id, request_key="k", door="guide", guide_id=cast.lina.id,
        store_id=cast.store.id, actor=BOSS,
    )  # fmt: skip
    assert found(desk, "coupon", state="expired") == [old.id]
    assert found(desk, "coupon", state="issued") == [new.id]
    assert found(desk, "coupon", door="guide") == [new.id]
    assert found(desk, "coupon", issued_store__id__exact=str(cast.store.id)) == [new.id]
    today, then = clock.today().isoformat(), (clock.today() - dt.timedelta(days=9)).isoformat()
    assert found(desk, "coupon", issued_at_from=today, issued_at_to=today) == [new.id]
    assert found(desk, "coupon", issued_at_to=then) == [old.id]
    assert found(desk, "coupon", issued_at_from="soon") == [new.id, old.id]


def _ago(days: int) -> dt.datetime:
    return clock.now() - dt.timedelta(days=days)


def test_codes_are_whole_only_for_who_may_see_them(cast: Cast, desk: Client) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    whole = " ".join(issued.code[start : start + 4] for start in range(0, 16, 4))
    pages = [page("coupon_changelist"), page("coupon_change", issued.id), page("coupon_void", issued.id)]
    for url in pages:
        assert whole in shown(desk.get(url)), url
    east = staff_client(cast, "view_coupon", "change_coupon", "export_coupon")
    for url in pages:
        html = shown(east.get(url))
        assert issued.code[-4:] in html, url
        assert whole not in html, url
        assert issued.code not in html, url
    assert sheet_of(east.get(page("coupon_export")))[1][0] == f"•••• •••• •••• {issued.code[-4:]}"


def test_the_life_of_a_coupon_is_told_in_words(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    use(issued.code, cast.store.id, order_no="S77")
    services.reverse_redemption(request_id=issued.code, reversal_key="b", reason="退货", actor=BOSS)
    services.void_coupon(coupon_id=issued.id, reason="发错了", actor=BOSS)
    lines = desk.get(page("coupon_change", issued.id)).context["panels"][0].context["lines"]
    assert [line.what for line in lines] == ["领到", "核销", "撤销核销", "作废"]
    assert "在南京东路店用于订单 S77，消费 200 元，优惠 30 元" in lines[1].words
    assert "原因：退货" in lines[2].words
    assert "发错了" in lines[3].words


def test_one_is_voided_with_a_reason(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    assert press(desk, "coupon_void", issued.id, reason=" ").status_code == 200
    press(desk, "coupon_void", issued.id, reason="发错了")
    assert Coupon.objects.get().state == "voided"


def test_what_the_filters_show_is_voided_with_numbers_first(desk: Client, cast: Cast) -> None:
    batch, other = make_batch(), make_batch()
    first, second = (claim(batch, cast.xiaomei.id) for _ in range(2))
    used = claim(batch, cast.xiaoli.id)
    kept = claim(other, cast.xiaoli.id)
    use(used.code, cast.store.id)
    query = f"?batch__id__exact={batch}"
    asked = shown(void(desk, [first.id], query, select_across="1"))
    assert "作废 2 张没用过的券，涉及 1 位会员" in asked
    assert "选中的 3 张里，1 张已经用过" in asked
    assert Coupon.objects.filter(state="voided").count() == 0
    done = void(desk, [first.id], query, select_across="1", _confirmed="1", reason="活动取消")
    assert done.status_code == 302
    assert set(Coupon.objects.filter(state="voided").values_list("pk", flat=True)) == {first.id, second.id}
    assert Coupon.objects.get(pk=kept.id).state == "issued"
    entry = AuditEntry.objects.get(action="coupons.chosen_voided")
    assert (entry.subject_id, entry.details) == (batch, {"coupon_count": 2})
    void(desk, [kept.id], "", _confirmed="1", reason="一张")
    assert Coupon.objects.get(pk=kept.id).state == "voided"


def test_many_are_voided_in_the_background_with_a_page_that_says_how_far_it_is(
    desk: Client, cast: Cast, monkeypatch: Any
) -> None:
    monkeypatch.setattr("coupons.admin.coupons.SLICE", 1)
    monkeypatch.setattr("coupons.services.voiding.SLICE", 1)
    east, batches = staff_client(cast), (make_batch(), make_batch())
    ids = [claim(batch, cast.xiaomei.id).id for batch in (*batches, batches[0])]
    assert "会在后台处理" in shown(void(desk, ids))
    begun = void(desk, ids, _confirmed="1", reason="活动取消")
    job = VoidJob.objects.get()
    assert begun.headers["Location"] == page("voidjob_change", job.pk)
    assert void(desk, ids, _confirmed="1", reason="活动取消").headers["Location"] == begun.headers["Location"]
    assert "作废 0 / 3 张（0%）" in shown(desk.get(page("void_progress", job.pk)))
    assert "HX-Refresh" not in desk.get(page("void_progress", job.pk)).headers
    assert found(desk, "voidjob", state="running") == [job.pk]
    services.resume_void_jobs()
    assert set(Coupon.objects.values_list("state", flat=True)) == {"voided"}
    assert desk.get(page("void_progress", job.pk)).headers["HX-Refresh"] == "true"
    html = shown(desk.get(page("voidjob_change", job.pk)))
    assert "作废 3 / 3 张" in html
    assert [
        (row["asked"], row["voided"]) for row in desk.get(page("voidjob_change", job.pk)).context["batches"]
    ] == [
        ("2", "2"),
        ("1", "1"),
    ]
    assert found(desk, "voidjob", state="done") == [job.pk]
    assert found(east, "voidjob") == []
    for url in (page("voidjob_change", job.pk), page("void_progress", job.pk)):
        assert east.get(url).status_code == desk.get(url.replace(str(job.pk), "98765")).status_code == 302


def test_somebody_elses_key_voids_nothing(desk: Client, cast: Cast) -> None:
    first, second = (claim(make_batch(), cast.xiaomei.id) for _ in range(2))
    void(desk, [first.id], _confirmed="1", reason="x", key="same")
    east = staff_client(cast)
    assert void(east, [second.id], _confirmed="1", reason="x", key="same").status_code == 200
    assert Coupon.objects.get(pk=second.id).state == "issued"


def test_a_region_voids_and_sees_its_own_only(cast: Cast) -> None:
    east = staff_client(cast)
    batch = make_batch()
    hers, foreign = claim(batch, cast.xiaomei.id), claim(batch, cast.xiaoli.id)
    used = [(claim(batch, cast.xiaomei.id), cast.other_store), (claim(batch, cast.xiaoli.id), cast.store)]
    for issued, store in used:
        use(issued.code, store.id)
    assert found(east, "coupon") == [used[0][0].id, hers.id]
    assert found(east, "redemption", q="") == [Redemption.objects.get(coupon_id=used[1][0].id).pk]
    assert east.get(page("coupon_change", foreign.id)).status_code == 302
    assert press(east, "coupon_void", foreign.id, reason="x").status_code == 302
    void(east, [hers.id, foreign.id], select_across="1", _confirmed="1", reason="x")
    states = dict(Coupon.objects.values_list("pk", "state"))
    assert (states[hers.id], states[foreign.id]) == ("voided", "issued")
    assert {row[3] for row in sheet_of(east.get(page("coupon_export")))[1:]} == {cast.xiaomei.code}


def test_a_redemption_is_reversed_by_who_has_the_right(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(), cast.xiaomei.id)
    row = use(issued.code, cast.store.id)
    east = staff_client(cast, "view_redemption", "change_redemption", "view_coupon")
    assert page("redemption_reverse", row.pk) not in shown(east.get(page("redemption_change", row.pk)))
    assert press(east, "redemption_reverse", row.pk, reason="x", reversal_key="b").status_code == 403
    assert "订单 200.00 元，优惠 30.00 元" in shown(desk.get(page("redemption_reverse", row.pk)))
    assert press(desk, "redemption_reverse", row.pk, reason="", reversal_key="b").status_code == 200
    for _ in range(2):
        press(desk, "redemption_reverse", row.pk, reason="退货", reversal_key="b")
    assert Redemption.objects.get().reversed_at is not None
    assert Coupon.objects.get().state == "issued"
    assert found(desk, "redemption", stands="reversed") == [row.pk]
    assert found(desk, "redemption", stands="live") == []


def test_redemptions_are_found_by_order_code_or_member(desk: Client, cast: Cast) -> None:
    row = use(claim(make_batch(), cast.xiaomei.id).code, cast.store.id, order_no="A-100")
    other = use(claim(make_batch(), cast.xiaoli.id).code, cast.store.id, order_no="B-1")
    for query in ("a-1", row.coupon.code, "小美"):
        assert found(desk, "redemption", q=query) == [row.pk], query
    assert found(desk, "redemption", store__id__exact=str(cast.store.id)) == [other.pk, row.pk]
    assert found(desk, "redemption", q="' or 1=1 --") == []


def test_files_have_real_dates_and_numbers_and_are_audited(desk: Client, cast: Cast) -> None:
    issued = claim(make_batch(name="=危险"), cast.xiaomei.id)
    claim(make_batch(), cast.xiaoli.id)
    use(issued.code, cast.store.id, order_no="=1+1", amount_fen=128_050)
    rows = sheet_of(desk.get(page("redemption_export")))
    line = dict(zip(rows[0], rows[1], strict=True))
    assert (line["订单号"], line["批次"]) == ("'=1+1", "'=危险")
    assert (line["订单金额（元）"], line["优惠金额（元）"]) == (1280.5, 30)
    assert isinstance(line["核销时间"], dt.datetime)
    assert line["撤销时间"] is None
    entry = AuditEntry.objects.get(action="coupons.redemption_exported")
    assert (entry.subject_id, entry.details) == (cast.head_office.pk, {"row_count": 1})
    rows = sheet_of(desk.get(page("coupon_export"), {"q": "小美"}))
    assert len(rows) == 2
    line = dict(zip(rows[0], rows[1], strict=True))
    moment = Coupon.objects.get(pk=issued.id).issued_at.astimezone(clock.SHANGHAI).replace(tzinfo=None)
    assert abs(line["发放时间"] - moment) < dt.timedelta(seconds=1)
    assert line["状态"] == "已核销"


def test_a_file_of_too_many_and_one_without_the_right(desk: Client, cast: Cast, monkeypatch: Any) -> None:
    for member in make_members(3):
        claim(make_batch(), member)
    monkeypatch.setattr("core.admin.exports.MOST_ROWS", 2)
    told = desk.get(page("coupon_export"), follow=True)
    assert "一次最多导出 2 条" in shown(told)
    viewer = staff_client(cast, "view_coupon", "view_redemption")
    for name in ("coupon_export", "redemption_export"):
        assert viewer.get(page(name)).status_code == 403
    assert page("coupon_export") not in shown(viewer.get(page("coupon_changelist")))
    assert not AuditEntry.objects.filter(action__endswith="_exported").exists()


def test_one_is_given_by_hand_once(desk: Client, cast: Cast) -> None:
    batch = make_batch(name="补发")
    seen = desk.get(page("coupon_add"), {"q": "小美", "batch": str(batch)})
    assert "补发" in shown(seen)
    sent = {"batch": str(batch), "member": str(cast.xiaomei.id), "form_key": seen.context["form_key"]}
    for _ in range(2):
        assert desk.post(page("coupon_add"), sent).status_code == 302
    coupon = Coupon.objects.get()
    assert (coupon.member_id, coupon.door) == (cast.xiaomei.id, "system")
    assert AuditEntry.objects.filter(action="coupons.coupon_issued", actor_kind="staff").count() == 1
    assert "发给会员" in shown(desk.get(page("coupon_change", coupon.pk)))
    panels = {
        str(panel.title)
        for panel in desk.get(f"/admin/members/member/{cast.xiaomei.id}/change/").context["panels"]
    }
    assert "优惠券" in panels


@pytest.mark.parametrize(
    ("values", "words"),
    [({"member": ""}, "请选择发给哪位会员"), ({"batch": ""}, "请选择发哪一批"), ({"batch": "987654"}, "没有找到这批券"),
     ({"member": "987654"}, "请选择发给哪位会员")],
)  # fmt: skip
def test_what_cannot_be_given_is_told(desk: Client, cast: Cast, values: dict[str, str], words: str) -> None:
    sent = {"batch": str(make_batch()), "member": str(cast.xiaomei.id), "form_key": "k", **values}
    assert words in shown(desk.post(page("coupon_add"), sent))
    assert not Coupon.objects.exists()


def test_by_hand_the_rules_of_the_batch_hold(cast: Cast, desk: Client) -> None:
    tier = member_services.create_tier(terms=TierTerms(rank=1, name="银卡", spend_fen=100), actor=BOSS)
    template = make_template(tier_ids=(tier.id,))
    sent = {"batch": str(make_batch(template_id=template)), "member": str(cast.xiaomei.id), "form_key": "k"}
    assert "只给指定等级的会员" in shown(desk.post(page("coupon_add"), sent))
    east = staff_client(cast)
    stranger = {"batch": str(make_batch()), "member": str(cast.xiaoli.id), "form_key": "k"}
    assert "请选择发给哪位会员" in shown(east.post(page("coupon_add"), stranger))
    assert not Coupon.objects.exists()
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_coupon"))
    assert east.post(page("coupon_add"), stranger).status_code == 403


@pytest.mark.parametrize("name", ["coupontemplate", "couponbatch", "coupon", "redemption", "issuejob"])
def test_more_rows_do_not_mean_more_queries(desk: Client, cast: Cast, name: str) -> None:
    tier = member_services.create_tier(terms=TierTerms(rank=1, name="银卡", spend_fen=100), actor=BOSS)

    def grow(count: int) -> None:
        for _ in range(count):
            template = make_template(
                store_ids=(cast.store.id,), region_ids=(cast.east.id,), tier_ids=(tier.id,)
            )
            batch = make_batch(template_id=template)
            member = make_members(1)[0]
            services.issue_coupons(batch_id=batch, member_ids=[member], key=f"k{batch}", actor=BOSS)
            use(Coupon.objects.get(batch_id=batch).code, cast.store.id)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(found(desk, name)) >= 2
        return len(queries)

    grow(2)
    cost()
    few = cost()
    grow(6)
    assert cost() <= few
