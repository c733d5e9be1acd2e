"""备注: what the guide wrote down about her, for her own eyes."""

from assistant.pages.member_360.contract import Viewing
from assistant.pages.member_words import NoteSection, build_note_section


def build_notes(viewing: Viewing) -> NoteSection:
    """The tab of the guide's own notes."""
    return build_note_section(viewing.guide, viewing.member, now=viewing.now)
