"""No table with a member's key is forgotten when members are merged, parted, exported or erased."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import modify_settings

from members.services.holdings import MemberHoldings, all_holdings, member_fields


def forgotten(holdings: Iterable[MemberHoldings]) -> list[str]:
    """Tables with a member's key, in any installed app, that are not in exactly one part; names of no table."""
    named = Counter(label for part in holdings for label in part.models)
    installed = apps.get_models(include_auto_created=True)
    keyed = {model._meta.label for model in installed if member_fields(model)}
    known = {model._meta.label for model in installed}
    return sorted({label for label in keyed if named[label] != 1} | {n for n in named if n not in known})


def test_every_table_with_a_members_key_is_in_exactly_one_part() -> None:
    assert forgotten(all_holdings()) == []


def test_a_table_that_nobody_answers_for_is_found() -> None:
    site = admin.site
    with modify_settings(INSTALLED_APPS={"append": "tests.stand_in.apps.StandInConfig"}):
        assert forgotten(all_holdings()) == ["stand_in.LikeACoupon"]
    admin.site = admin.sites.site = site  # loading the apps again left a new, empty one
    assert forgotten(all_holdings()) == []


def test_a_table_in_two_parts_and_a_name_of_no_table_are_found() -> None:
    class Greedy:
        models = ("members.MemberTag", "members.NoSuchTable")

    greedy: Any = Greedy()
    assert forgotten([*all_holdings(), greedy]) == ["members.MemberTag", "members.NoSuchTable"]


def test_parts_have_names_of_their_own_and_say_how_people_call_them() -> None:
    labels = [part.label for part in all_holdings()]
    assert len(labels) == len(set(labels))
    assert all(str(part.title) and not str(part.title).isascii() for part in all_holdings())


@pytest.mark.parametrize("part", all_holdings(), ids=lambda part: str(part.label))
def test_a_part_names_tables_that_have_a_members_key(part: MemberHoldings) -> None:
    found: list[type[models.Model]] = [apps.get_model(label) for label in part.models]
    assert [model._meta.label for model in found if not member_fields(model)] == []
