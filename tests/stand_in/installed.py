"""Installs the stand-in for one test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import modify_settings, override_settings


@pytest.fixture
def stand_in(transactional_db: None) -> Iterator[Any]:
    """The stand-in's table exists and its part is registered; yields the model."""
    site = admin.site
    with (
        modify_settings(INSTALLED_APPS={"append": "tests.stand_in.apps.StandInConfig"}),
        override_settings(MEMBER_HOLDINGS="tests.stand_in.holdings.WITH_STAND_IN"),
    ):
        from tests.stand_in.models import LikeACoupon  # a model needs its app installed

        with connection.schema_editor() as editor:
            editor.create_model(LikeACoupon)
        try:
            yield LikeACoupon
        finally:
            with connection.schema_editor() as editor:
                editor.delete_model(LikeACoupon)
    # Loading the apps again left django-unfold's new, empty site behind.
    admin.site = admin.sites.site = site
