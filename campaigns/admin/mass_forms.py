"""What staff fill in for a mass message: its words, whom it goes to, a colleague to try it on, and when."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from campaigns.contracts.mass import LIST, TAG
from campaigns.models import MassAudienceKind, MassKind, MassMessage, MassPurpose
from core.admin import DressedForm, MomentInput, find_answer, thousands
from core.errors import Refusal
from guides import selectors as guide_selectors
from wechat.admin.reply_forms import checked_text, picture_fault
from wechat.contracts import AccountCard, DraftCard
from wechat.services import follower_tags, mass

_LONGEST_PASTE: Final = 400_000


class MassForm(DressedForm):
    """One mass message of one account. `known`: the draft that is changed; its picture and its list stay unless new ones
    come."""

    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("只在后台看到"))
    kind = forms.ChoiceField(label=_("类型"), choices=MassKind.choices, initial="text")
    text = forms.CharField(
        label=_("文字"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=_("最多 2048 字节，约 680 个汉字；选中文字再点下面的“插入网页链接”，就能点开"),
    )
    picture = forms.FileField(
        label=_("图片"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("JPG、PNG、GIF 或 BMP，10 MB 以内"),
    )
    article = forms.CharField(label=_("图文"), max_length=200, required=False)
    article_id = forms.CharField(
        label=_("图文素材编号"),
        max_length=200,
        required=False,
        help_text=_("没有在上面列出的图文，填它的 media_id"),
    )
    audience = forms.ChoiceField(label=_("发给谁"), choices=MassAudienceKind.choices, initial="list")
    tag = forms.ChoiceField(label=_("标签"), required=False)
    file = forms.FileField(
        label=_("上传名单"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_(
            "Excel 或 CSV，一行一位：手机号、会员码、卡号或 openid；最多 100,000 位，超过 10,000 位的自动分段发"
        ),
    )
    pasted = forms.CharField(
        label=_("或者贴名单"),
        required=False,
        max_length=_LONGEST_PASTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("一行一位，也可以用逗号隔开"),
    )
    purpose = forms.ChoiceField(
        label=_("用途"),
        choices=MassPurpose.choices,
        initial="marketing",
        help_text=_("营销：名单里只发给同意接收营销信息的会员；通知：只去掉撤回过同意的"),
    )

    def __init__(
        self, account: AccountCard, *args: Any, known: MassMessage | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.account, self.known = account, known
        self.drafts: dict[str, DraftCard] = {}
        tags: Any = self.fields["tag"]
        tags.choices = [("", _now("请选择")), *self._tags()]
        self.dress_all()

    def _tags(self) -> list[tuple[str, str]]:
        words = _now("%(name)s（%(n)s 位）")
        return [
            (str(tag.wechat_tag_id), words % {"name": tag.name, "n": thousands(tag.follower_count)})
            for tag in follower_tags.list_follower_tags(account_id=self.account.id)
        ]

    def clean_picture(self) -> Any:
        picture = self.cleaned_data["picture"]
        fault = picture_fault(picture, is_thumb=False) if picture else ""
        if fault:
            raise forms.ValidationError(fault)
        return picture

    def clean(self) -> dict[str, Any]:
        """What the chosen kind and audience need must be there; the rest is not looked at."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind, known = cleaned.get("kind"), self.known
        if kind == MassKind.TEXT:
            self._check_text(cleaned)
        elif kind == MassKind.IMAGE and not cleaned.get("picture") and "picture" not in self.errors:
            if known is None or not known.picture:
                self.add_error("picture", _("请上传要发的图片"))
        elif kind == MassKind.ARTICLE:
            self.drafts = {card.media_id: card for card in read_drafts(self.account)[0]}
        if kind == MassKind.ARTICLE and not (cleaned.get("article") or cleaned.get("article_id", "").strip()):
            self.add_error("article", _("请选择一篇图文，或者填素材编号"))
        if cleaned.get("audience") == TAG and not cleaned.get("tag"):
            self.add_error("tag", _("请选择标签；没有想要的标签时，先到“粉丝标签”里同步"))
        has_list = known is not None and known.audience == LIST
        is_given = cleaned.get("file") or cleaned.get("pasted", "").strip() or "file" in self.errors
        if cleaned.get("audience") == LIST and not has_list and not is_given:
            self.add_error("file", _("请上传名单，或把名单贴在下面"))
        return cleaned

    def _check_text(self, cleaned: dict[str, Any]) -> None:
        text = cleaned.get("text", "")
        try:
            if not text.strip():
                raise forms.ValidationError(_("请填写要发的文字"))
            checked_text(text)
        except forms.ValidationError as problem:
            self.add_error("text", problem)

    def article_of(self) -> tuple[str, str]:
        """The chosen article's media id and title; a typed one has its number for a title."""
        chosen = self.cleaned_data["article"] or self.cleaned_data["article_id"].strip()
        card = self.drafts.get(chosen)
        if card is not None:
            return chosen, card.title
        is_same = self.known is not None and self.known.article_media_id == chosen
        return chosen, self.known.article_title if is_same and self.known else ""


def read_drafts(account: AccountCard) -> tuple[Sequence[DraftCard], str]:
    """WeChat's drafts of articles, and why there are none; when it does not answer, the article's number can be typed."""
    try:
        drafts = mass.list_drafts(account_id=account.id)
    except Refusal as refusal:
        return (), _now("没有读到草稿箱：%(why)s") % {"why": refusal.message}
    return drafts, "" if drafts else _now("草稿箱里没有图文")


def draft_choices(drafts: Iterable[DraftCard], why: str = "") -> list[tuple[str, str]]:
    """The drafts to choose from, after a line that says what to do."""
    return [("", why or _now("请选择草稿箱里的图文")), *map(_draft_choice, drafts)]


def _draft_choice(card: DraftCard) -> tuple[str, str]:
    title = card.title or card.media_id[:16]
    if card.article_count == 1:
        return card.media_id, title
    return card.media_id, _now("%(title)s（共 %(n)s 篇）") % {"title": title, "n": card.article_count}


def initial_of(row: MassMessage) -> dict[str, Any]:
    """What the form of a draft starts from."""
    return {
        "name": row.name,
        "kind": row.kind,
        "text": row.text,
        "article": row.article_media_id,
        "article_id": row.article_media_id,
        "audience": row.audience,
        "tag": "" if row.tag_id is None else str(row.tag_id),
        "purpose": row.purpose,
    }


class PreviewForm(DressedForm):
    """A colleague: a guide who logs in through the account, a follower, or somebody by her WeChat name."""

    guide = forms.ChoiceField(label=_("导购"), required=False)
    follower = forms.CharField(
        label=_("或者粉丝"),
        max_length=64,
        required=False,
        help_text=_("会员的手机号或会员码，也可以填 openid"),
    )
    wxname = forms.CharField(
        label=_("或者微信号"),
        max_length=40,
        required=False,
        help_text=_("要关注了这个公众号；微信每天最多预览 100 次"),
    )

    def __init__(self, account: AccountCard, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._account = account
        guides: Any = self.fields["guide"]
        found = guide_selectors.list_guides_in_wechat(account.app_id)
        guides.choices = [("", _now("请选择")), *((str(guide_id), words) for guide_id, words in found)]
        self.dress_all()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["openid"] = self._openid(cleaned)
        if not cleaned["openid"] and not cleaned.get("wxname", "").strip() and not self.errors:
            self.add_error(None, _("请选择发给谁看"))
        return cleaned

    def _openid(self, cleaned: dict[str, Any]) -> str:
        guide, words = cleaned.get("guide"), cleaned.get("follower", "").strip()
        if guide:
            return guide_selectors.find_guide_openid(int(guide), self._account.app_id) or ""
        if not words:
            return ""
        if words.startswith("o") and len(words) >= 20:
            return str(words)
        openid = find_answer("openid_of_words", f"{self._account.app_id} {words}")
        if openid is None:
            self.add_error("follower", _("没有找到唯一一位关注了这个公众号的会员，请填完整的手机号或会员码"))
            return ""
        return str(openid)


class TimeForm(DressedForm):
    """When it goes; empty is at once. `revision` is the one whose words and numbers the page shows."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    send_at = forms.DateTimeField(
        label=_("发送时间"),
        required=False,
        widget=MomentInput(),
        help_text=_("北京时间；不填就是现在。过了这个时间 2 小时还没发出去，就不再发"),
    )
