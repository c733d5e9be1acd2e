"""Every page of the admin opens, with data; test_empty_pages.py has them without."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def cast(kept_chain: Cast, db: None) -> Cast:
    return kept_chain


@pytest.fixture
def full_chain(cast: Cast) -> Cast:
    return cast


def url_of(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_list_and_detail_open_with_data(desk: Client, full_chain: Cast, model: Any) -> None:
    listed = desk.get(url_of(model, "changelist"), follow=True)  # a table of one row opens its form
    assert listed.status_code == 200
    row = model._default_manager.order_by("-pk").first()
    if row is None and model._meta.label == "auth.Group":
        row = model.objects.create(name="运营")
    detail = desk.get(url_of(model, "change", row.pk))
    assert detail.status_code == 200
    history = desk.get(url_of(model, "history", row.pk))
    assert history.status_code == 200


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_add_page_opens_or_is_forbidden(desk: Client, full_chain: Cast, model: Any) -> None:
    page = admin.site._registry[model]
    answer = desk.get(url_of(model, "add"))
    request = answer.wsgi_request
    assert answer.status_code == (200 if page.has_add_permission(request) else 403)


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_every_list_says_what_its_search_searches(model: Any) -> None:
    page = admin.site._registry[model]
    if page.search_fields:
        assert page.search_help_text


def test_every_menu_entry_leads_to_a_page(desk: Client) -> None:
    from config.navigation import SIDEBAR

    for group in SIDEBAR:
        for item in group["items"]:
            assert desk.get(str(item["link"]), follow=True).status_code == 200


def test_login_page_and_index_open(client: Client, desk: Client) -> None:
    assert desk.get(reverse("admin:index")).status_code == 200
    assert Client().get(reverse("admin:login")).status_code == 200


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_no_page_shows_a_phone_or_an_openid_in_full(desk: Client, full_chain: Cast, model: Any) -> None:
    pages = [desk.get(url_of(model, "changelist"), follow=True).content.decode()]
    rows = model._default_manager.all()[:5]
    pages += [desk.get(url_of(model, "change", row.pk)).content.decode() for row in rows]
    for html in pages:
        assert full_chain.xiaomei_openid not in html
        assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", html)


def test_english_of_the_admin_library_is_translated(desk: Client, full_chain: Cast) -> None:
    html = desk.get(reverse("admin:guides_guide_changelist")).content.decode()
    for english in ("Type to search", "Search apps and models", "Filters", "Select action", "By "):
        assert english not in html
