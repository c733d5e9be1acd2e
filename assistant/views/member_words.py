"""标签、备注和称呼: the dialogs of a member's page and what their buttons do. All answers are parts of the page."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assistant.pages import member_words as words
from assistant.pages.member_words import Said, Undo, guide_actor
from assistant.screens import guide_screen, show
from assistant.views.inputs import search_words, whole_number
from core.errors import InvalidInput
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import GuideCard
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import MemberCard

_HIGHEST_ID = 2**63 - 1


@require_safe
@guide_screen
def tags(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The dialog 打标签."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    return show(request, "assistant/_tag_sheet.html", words.build_tag_sheet(guide, member))


@require_safe
@guide_screen
def found_tags(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """Its choices, narrowed by what was typed."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    sheet = words.build_tag_sheet(guide, member, query=search_words(request))
    return show(request, "assistant/_tag_choices.html", sheet)


@require_POST
@guide_screen
def add_tag(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The member has a tag of the chain (`tag`), or one of the guide's own (`name`)."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    if "name" in request.POST:
        own = guide_services.tag_privately(
            guide_id=guide.id, public_id=public_id, name=request.POST["name"], actor=guide_actor(guide)
        )
        undo = _undo("assistant:member-tag-remove", member, kind="own", tag=own.id)
        return _say_tags(request, guide, member, _("已打上“%(tag)s”") % {"tag": own.name}, undo)
    tag = member_selectors.get_tag_card(_row_id(request, "tag"))
    before = [line.tag for line in member_selectors.list_member_tags(member.id)]
    is_undo = request.POST.get("undo") == "1"
    member_services.tag_members(
        member_ids=[member.id],
        tag_id=tag.id,
        expires_at=member_selectors.find_last_expiry(member.id, tag.id) if is_undo else None,
        actor=guide_actor(guide),
    )
    replaced = next((old for old in before if old.group.is_exclusive and old.group == tag.group), None)
    if replaced is not None and replaced.id != tag.id:
        text = _("已把“%(old)s”换成“%(tag)s”") % {"old": replaced.name, "tag": tag.name}
        undo = _undo("assistant:member-tag-add", member, kind="chain", tag=replaced.id, undo=1)
    else:
        text = _("已打上“%(tag)s”") % {"tag": tag.name}
        undo = _undo("assistant:member-tag-remove", member, kind="chain", tag=tag.id)
    return _say_tags(request, guide, member, text, undo)


@require_POST
@guide_screen
def remove_tag(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The member has the tag no more."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    tag_id = _row_id(request, "tag")
    if request.POST.get("kind") == "own":
        own = guide_services.untag_privately(
            guide_id=guide.id, public_id=public_id, tag_id=tag_id, actor=guide_actor(guide)
        )
        name, undo = own.name, _undo("assistant:member-tag-add", member, kind="own", name=own.name)
    else:
        name = member_selectors.get_tag_card(tag_id).name
        member_services.untag_members(member_ids=[member.id], tag_id=tag_id, actor=guide_actor(guide))
        undo = _undo("assistant:member-tag-add", member, kind="chain", tag=tag_id, undo=1)
    return _say_tags(request, guide, member, _("已去掉“%(tag)s”") % {"tag": name}, undo)


@require_safe
@guide_screen
def write_note(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The dialog 记一笔, empty or with the note `note`."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    note_id = whole_number(request, "note", default=0, low=0, high=_HIGHEST_ID)
    text = ""
    if note_id:
        text = guide_selectors.get_note(guide_id=guide.id, member_id=member.id, note_id=note_id).text
    sheet = words.NoteSheet(member.public_id, member.display_name, note_id, text, uuid.uuid4().hex)
    return show(request, "assistant/_note_sheet.html", sheet)


@require_POST
@guide_screen
def save_note(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """A note more, or one that says something else."""
    note_id = whole_number(request, "note", default=0, low=0, high=_HIGHEST_ID)
    text = request.POST.get("text", "")
    if note_id:
        guide_services.edit_note(
            guide_id=guide.id, public_id=public_id, note_id=note_id, text=text, actor=guide_actor(guide)
        )
    else:
        guide_services.add_note(
            guide_id=guide.id,
            public_id=public_id,
            text=text,
            request_key=request.POST.get("request_key"),
            actor=guide_actor(guide),
        )
    return _say_notes(request, guide, public_id, _("已记下"), None)


@require_POST
@guide_screen
def remove_note(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """A note less."""
    note_id = _row_id(request, "note")
    guide_services.remove_note(
        guide_id=guide.id, public_id=public_id, note_id=note_id, actor=guide_actor(guide)
    )
    undo = Undo("assistant:member-note-restore", public_id, (("note", str(note_id)),))
    return _say_notes(request, guide, public_id, _("已删除这条备注"), undo)


@require_POST
@guide_screen
def restore_note(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The deleted note is back."""
    guide_services.restore_note(
        guide_id=guide.id, public_id=public_id, note_id=_row_id(request, "note"), actor=guide_actor(guide)
    )
    return _say_notes(request, guide, public_id, _("备注已恢复"), None)


@require_safe
@guide_screen
def remark(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The dialog 改称呼."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    sheet = words.RemarkSheet(member.public_id, member.display_name if member.is_remarked else "")
    return show(request, "assistant/_remark_sheet.html", sheet)


@require_POST
@guide_screen
def save_remark(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """She is called so from now on; the page, whose title is her name, is drawn anew."""
    guide_services.remark_member(
        guide_id=guide.id,
        public_id=public_id,
        name=request.POST.get("name", ""),
        actor=guide_actor(guide),
    )
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("assistant:member", args=[public_id])
    return answer


def _row_id(request: HttpRequest, name: str) -> int:
    number = whole_number(request, name, default=0, low=0, high=_HIGHEST_ID)
    if number == 0:
        raise InvalidInput(field=name)
    return number


def _undo(url_name: str, member: MemberCard, **fields: object) -> Undo:
    return Undo(url_name, member.public_id, tuple((name, str(value)) for name, value in fields.items()))


def _say_tags(
    request: HttpRequest, guide: GuideCard, member: MemberCard, text: str, undo: Undo
) -> HttpResponse:
    """The chips of the page; of the dialog too, when it is what asked."""
    query = request.POST.get("q", "").replace("\0", "").strip()[:40]
    said = Said(
        text,
        undo,
        tags=words.build_tag_section(guide, member),
        sheet=words.build_tag_sheet(guide, member, query=query) if "in_sheet" in request.POST else None,
    )
    return show(request, "assistant/_said.html", said)


def _say_notes(
    request: HttpRequest, guide: GuideCard, public_id: str, text: str, undo: Undo | None
) -> HttpResponse:
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    said = Said(text, undo, notes=words.build_note_section(guide, member))
    return show(request, "assistant/_said.html", said)
