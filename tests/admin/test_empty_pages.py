"""Every page of the admin opens where there is nothing yet."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from members.models import PrivacySettings
from tests.admin.test_pages import PAGES, url_of


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_lists_open_without_data_and_with_a_search(desk: Client, model: Any) -> None:
    assert desk.get(url_of(model, "changelist"), {"q": "没有这个"}, follow=True).status_code == 200


def test_a_table_of_one_row_opens_its_form(desk: Client) -> None:
    entry = reverse("admin:members_privacysettings_changelist")
    add = reverse("admin:members_privacysettings_add")
    assert desk.get(entry).headers["Location"] == add
    PrivacySettings.objects.create(pk=1)
    assert desk.get(entry).headers["Location"] == reverse("admin:members_privacysettings_change", args=[1])
    assert desk.get(add).status_code == 403
