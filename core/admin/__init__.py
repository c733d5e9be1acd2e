"""The staff admin's foundations: scoped and read-only pages, question pages, panels, formats.

Every app's `admin` builds on this package; it knows no business word.
"""

from core.admin import accounts, export_pages  # noqa: F401  (register accounts, groups, the audit trail, files)
from core.admin.audit_words import name_actions, name_details, name_values
from core.admin.base import BaseAdmin, ReadOnlyAdmin, ScopedAdmin, ScopedReadOnlyAdmin, narrow
from core.admin.day_filter import DaysFilter
from core.admin.exports import Column, Exports, Rows
from core.admin.extensions import (
    Alarm,
    ExtraAction,
    ExtraColumn,
    Panel,
    Tile,
    find_answer,
    register_action,
    register_alarms,
    register_answer,
    register_column,
    register_filter,
    register_inline,
    register_panel,
    register_rule_url,
    register_tiles,
    rule_url,
)
from core.admin.filters import AutocompleteFilter, ChoiceFilter, CountedFilter
from core.admin.formats import cost_words, mask_openid, money, percent, thousands, when
from core.admin.forms import DayInput, DressedForm, MomentInput, autocomplete_field, plain_address
from core.admin.lanes import ask_lift, ask_rate
from core.admin.only_row import OnlyRow
from core.admin.own_page import OwnPage
from core.admin.paging import LongListPaginator
from core.admin.phones import PhonePages
from core.admin.questions import Question, ask, ask_about, bound_data, run_for_each, staff_actor
from core.admin.searching import TypedSearch, first_found
from core.admin.service_forms import ServiceForms
from core.admin.unfolded import Text, UnfoldStackedInline, UnfoldTabularInline, column, operation

__all__ = [
    "Alarm",
    "AutocompleteFilter",
    "BaseAdmin",
    "ChoiceFilter",
    "Column",
    "CountedFilter",
    "DayInput",
    "DaysFilter",
    "DressedForm",
    "Exports",
    "ExtraAction",
    "ExtraColumn",
    "LongListPaginator",
    "MomentInput",
    "OnlyRow",
    "OwnPage",
    "Panel",
    "PhonePages",
    "Question",
    "ReadOnlyAdmin",
    "Rows",
    "ScopedAdmin",
    "ScopedReadOnlyAdmin",
    "ServiceForms",
    "Text",
    "Tile",
    "TypedSearch",
    "UnfoldStackedInline",
    "UnfoldTabularInline",
    "ask",
    "ask_about",
    "ask_lift",
    "ask_rate",
    "autocomplete_field",
    "bound_data",
    "column",
    "cost_words",
    "find_answer",
    "first_found",
    "mask_openid",
    "money",
    "name_actions",
    "name_details",
    "name_values",
    "narrow",
    "operation",
    "percent",
    "plain_address",
    "register_action",
    "register_alarms",
    "register_answer",
    "register_column",
    "register_filter",
    "register_inline",
    "register_panel",
    "register_rule_url",
    "register_tiles",
    "rule_url",
    "run_for_each",
    "staff_actor",
    "thousands",
    "when",
]
