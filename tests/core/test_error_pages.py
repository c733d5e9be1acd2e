"""Pages of failed requests offer the way back to where the person was."""

import pytest
from django.test import Client, RequestFactory

from config import error_pages
from tests.cast import Cast


@pytest.mark.parametrize(
    ("path", "href", "words"),
    [("/admin/no/such/", "/admin/", "回到后台首页"), ("/a/no/such/", "/a/", "回到今日")],
)
def test_each_surface_has_its_own_way_back(cast: Cast, path: str, href: str, words: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.head_office)
    page = client.get(path)
    assert page.status_code == 404
    assert f'href="{href}">{words}</a>' in page.content.decode()


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (error_pages.bad_request, 400),
        (error_pages.permission_denied, 403),
        (error_pages.csrf_failed, 403),
        (error_pages.server_error, 500),
    ],
)
def test_a_broken_page_reads_nothing_and_knows_the_way(view: object, status: int) -> None:
    for path, words in (("/admin/sales/sale/", "回到后台首页"), ("/a/coupons/", "回到今日")):
        answer = view(RequestFactory().get(path))  # type: ignore[operator]
        assert answer.status_code == status
        assert words in answer.content.decode()
    elsewhere = view(RequestFactory().get("/media/x.png")).content.decode()  # type: ignore[operator]
    assert "回到" not in elsewhere


def test_a_form_that_was_open_too_long_leads_back_to_the_desk(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.head_office)
    page = client.post("/admin/sales/category/add/", {"code": "x"})
    assert page.status_code == 403
    assert "页面放得太久了" in page.content.decode()
    assert "回到后台首页" in page.content.decode()
