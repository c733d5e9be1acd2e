"""Segments: rules read, compiled to one statement, and asked."""

from campaigns.selectors.segments.compiling import Sql, found_of, select_members
from campaigns.selectors.segments.people import (
    count_members,
    explain_member,
    list_page,
    list_pivots,
    list_sample,
    members_sql,
    scope_of,
)
from campaigns.selectors.segments.reading import (
    find_rule,
    leaves_of,
    node_of,
    read_rule,
    read_rule_text,
    rule_unfit,
    write_rule,
)
from campaigns.selectors.segments.schema import rule_schema
from campaigns.selectors.segments.words import rule_lines, rule_text, rule_words

__all__ = [
    "Sql",
    "count_members",
    "explain_member",
    "find_rule",
    "found_of",
    "leaves_of",
    "list_page",
    "list_pivots",
    "list_sample",
    "members_sql",
    "node_of",
    "read_rule",
    "read_rule_text",
    "rule_lines",
    "rule_schema",
    "rule_text",
    "rule_unfit",
    "rule_words",
    "scope_of",
    "select_members",
    "write_rule",
]
