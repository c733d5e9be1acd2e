"""面对面 over HTTP: open, look, end; another guide's offer is unknown."""

from typing import Any

import pytest

from coupons import services as coupon_services
from coupons.models import FaceToFaceOffer
from guides.models import ChannelCode
from tests.assistant.coupons_kit import HTMX, KEY, guide_batch, public_id
from tests.cast import Cast
from tests.coupons.kit import BOSS, make_batch
from tests.coupons.test_face_to_face import answer, scan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def open_face(client: Any, batch: int, key: str = KEY) -> Any:
    return client.post(
        "/a/coupons/faces/open/", {"batch": public_id(batch), "request_key": key}, headers=HTMX
    )


def test_the_list_shows_batches_of_this_door_and_the_reason_against_others(cast: Cast, log_in: Any) -> None:
    guide_batch("面对面券")
    spent = guide_batch("卖完的", quota=1)
    make_batch(doors=("guide",))
    client = log_in(cast.lina)
    coupon_services.issue_coupon(
        batch_id=spent, member_id=cast.xiaomei.id, request_key="x", door="guide", guide_id=cast.lina.id,
        store_id=cast.store.id, actor=BOSS,
    )  # fmt: skip
    page = client.get("/a/coupons/faces/").context["page"]
    assert [face.face.title for face in page.ready] == ["面对面券"]
    assert [(face.face.title, face.why_not) for face in page.waiting] == [("卖完的", "券已经领完了")]


def test_a_code_is_opened_once_for_a_tap_and_fills_the_screen(cast: Cast, log_in: Any) -> None:
    batch, client = guide_batch(), log_in(cast.lina)
    paths = {open_face(client, batch)["HX-Redirect"] for _ in range(2)}
    assert len(paths) == 1
    ChannelCode.objects.update(qr_url="http://weixin.qq.com/q/f2f", ticket="t")
    answered = client.get(paths.pop())
    live = answered.context["page"].live
    assert (live.is_open, live.seconds_left, live.claimed) == (True, 600, "0")
    assert b"<svg" in answered.content
    assert FaceToFaceOffer.objects.count() == 1


def test_who_took_one_is_named_and_nothing_new_costs_nothing(
    cast: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = log_in(cast.lina)
    path = open_face(client, guide_batch())["HX-Redirect"]
    live = client.get(path).context["page"].live
    with django_assert_max_num_queries(12):
        assert client.get(f"{path}live/", {"seen": live.seen}).status_code == 204
    card = _card(cast, path)
    answer(scan(card, cast.xiaoli_openid))
    with django_assert_max_num_queries(12):
        fresh = client.get(f"{path}live/", {"seen": live.seen})
    page = fresh.context["page"]
    assert (page.claimed, [one.name for one in page.taken]) == ("1", [cast.xiaoli.display_name])
    with django_assert_max_num_queries(12):
        client.get(path)


def _card(cast: Cast, path: str) -> Any:
    from coupons import selectors

    return selectors.access_face_to_face(public_id=path.rstrip("/").split("/")[-1], guide_id=cast.lina.id)


def test_ending_it_says_so_and_a_new_code_goes_on(cast: Cast, log_in: Any) -> None:
    batch, client = guide_batch(), log_in(cast.lina)
    path = open_face(client, batch)["HX-Redirect"]
    for _ in range(2):
        ended = client.post(f"{path}close/", headers=HTMX)
        assert not ended.context["page"].is_open
    assert "这个码已经结束" in client.get(path).content.decode()
    assert open_face(client, batch, KEY + "1")["HX-Redirect"] != path


def test_anothers_offer_is_unknown_and_a_closed_batch_refuses(cast: Cast, log_in: Any) -> None:
    batch, stranger = guide_batch(), log_in(cast.wangfang)
    path = open_face(log_in(cast.lina), batch)["HX-Redirect"]
    unknown = "/a/coupons/faces/2222222222222222/"
    for one in (path, unknown):
        assert stranger.get(one).status_code == 404
        assert stranger.get(f"{one}live/").status_code == 404
        assert stranger.post(f"{one}close/").status_code == 404
    assert FaceToFaceOffer.objects.get().closed_at is None
    coupon_services.pause_batch(batch_id=batch, actor=BOSS)
    refused = open_face(stranger, batch)
    assert (refused.status_code, refused["X-Refusal"]) == (409, "coupons.batch_paused")
    assert open_face(stranger, make_batch(doors=("claim",)))["X-Refusal"] == "coupons.wrong_door"
