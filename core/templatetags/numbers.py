"""Numbers in templates. Django's own grouping is off in Chinese."""

from django import template

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """1204 → 1,204."""
    return f"{int(number):,}"
