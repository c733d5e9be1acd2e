"""What a guide shared, opened in the mini-program: counted for her link, and claims come back to it."""

from typing import Any

from django.db.models import F

from campaigns.models import MaterialReader, MaterialShare, MaterialVisit
from campaigns.selectors.material_numbers import sum_shares
from campaigns.services import materials
from coupons.models import CouponReferral
from guides import selectors as guide_selectors
from guides import services as guide_services
from tests.campaigns.material_kit import DESK, make_material, share_of
from tests.cast import DIRECTOR, make_guide, make_store
from tests.coupons.kit import make_batch
from tests.miniapp.kit import Phone, codes
from tests.miniapp.test_campaigns import member_of

NOT_THERE = (404, "campaigns.no_such_material")


def a_guide() -> Any:
    region = guide_services.open_region(name="华东", actor=DIRECTOR)
    return make_guide("G900", "李娜", make_store("S900", "南京东路店", region.id).id)


def test_it_counts_for_the_link_and_so_does_the_coupon_that_she_claims(phone: Phone) -> None:
    guide = a_guide()
    pk = make_material(batch_id=make_batch(), mini_page="pages/products/autumn")
    share = share_of(pk, guide)
    for _turn in range(2):
        page = phone.post("/materials/open", {"token": share.token}).data
    assert (page["title"], page["page"]) == ("初秋通勤三件套", "pages/products/autumn")
    assert page["guide"] == {"name": "李娜", "store_name": "南京东路店"}
    assert page["claim"] == {
        "scene": guide_selectors.get_guide_code(guide.id).code, "article": share.token,
    }  # fmt: skip
    claimed = phone.post(
        f"/coupon-batches/{page['batch_id']}/claim", {"request_key": "material-claim-1", **page["claim"]}
    )
    assert claimed.data["is_new"]
    assert CouponReferral.objects.get().guide_id == guide.id
    numbers = sum_shares([share.id])
    assert (numbers.view_count, numbers.visitor_count, numbers.claim_count) == (1, 1, 1)
    assert MaterialReader.objects.get().is_known
    assert MaterialVisit.objects.get(carries=True).guide_id == guide.id


def test_what_is_not_to_be_seen_is_not_there(phone: Phone) -> None:
    member_of(phone)
    guide = a_guide()
    share = share_of(make_material(), guide)
    materials.withdraw_material(material_id=share.material.id, actor=DESK)
    for token in (share.token, "2" * 16, "é" * 16, "x"):
        assert codes(phone.post("/materials/open", {"token": token})) == NOT_THERE
    assert phone.post("/materials/open", {"token": "x" * 17}).status_code == 400
    assert phone.post("/materials/open", {"token": 7}).status_code == 400
    assert not MaterialShare.objects.exclude(view_count=F("visitor_count")).exists()
    assert not MaterialVisit.objects.exists()
