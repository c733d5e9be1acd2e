"""`{% icon "qr" %}`: one symbol of static/assistant/icons.svg, in the colour of the text around it."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """The symbol; hidden from screen readers, because a label always stands beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("assistant/icons.svg"),
        name,
    )


# The same at each rendering, so that it is rendered once (core/folding.py).
icon.is_constant = True  # type: ignore[attr-defined]
