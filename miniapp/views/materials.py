"""What a guide shared, opened in the mini-program."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.contracts.materials import ReaderMark, SharedMaterial
from campaigns.errors import NoSuchMaterial
from campaigns.selectors.materials import get_shared_material
from campaigns.services.material_openings import note_opening
from core.errors import NotFound
from coupons import selectors as coupon_selectors
from coupons.errors import NoSuchBatch
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from miniapp.api import MemberView
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit

_MATERIAL: Final[dict[str, Any]] = {
    "title": "羊绒大衣到店，三色可试",
    "text": "100% 内蒙古山羊绒，双面手缝。",
    "pictures": [{"url": "/media/materials/W9CAYQ7M2KXH4TBN.jpg", "width": 1080, "height": 1350}],
    "page": "pages/products/autumn",
    "batch_id": "K3XH4TBNW9CAYQ7M",
    "claim": {"scene": "K7MQ2X", "article": "R5WYJ1KN9FQP2XHD"},
    "guide": {"name": "李娜", "store_name": "南京东路店"},
}


class PictureOut(serializers.Serializer[Any]):
    """A picture; its address is below the API's host."""

    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ClaimOut(serializers.Serializer[Any]):
    """What to send along when she claims the coupon, so that it counts for this link and this guide."""

    scene = serializers.CharField(allow_blank=True)
    article = serializers.CharField()


class SharerOut(serializers.Serializer[Any]):
    """Who shared it; a guide who has left is not named."""

    name = serializers.CharField(allow_blank=True)
    store_name = serializers.CharField()


class MaterialOut(serializers.Serializer[Any]):
    """The material of a guide's link."""

    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    pictures = PictureOut(many=True)
    page = serializers.CharField(allow_blank=True, help_text="the page it leads to")
    batch_id = serializers.CharField(
        allow_null=True, help_text="of `coupon-batches`: the coupon that goes with it"
    )
    claim = ClaimOut()
    guide = SharerOut()


class OpenMaterialIn(StrictInput):
    """What the link or the code carried."""

    token = StrictText(
        max_length=16, help_text="the scene of the code, or the last part of the link's address"
    )


class OpenMaterialView(MemberView):
    """`POST materials/open`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="She opened what a guide shared / 打开导购分享的素材",
        words="Counts as a view of the guide's link, once in half an hour. What is withdrawn or over answers as what never was.",
        body=OpenMaterialIn,
        body_example={"token": "R5WYJ1KN9FQP2XHD"},
        answer=MaterialOut,
        example=_MATERIAL,
        refuses=(NoSuchMaterial,),
    )
    def post(self, request: Request) -> Response:
        token = self.read(OpenMaterialIn)["token"]
        shared = get_shared_material(token)
        note_opening(token=token, reader=ReaderMark("member", str(self.member_id)))
        return Response(MaterialOut(_show(shared, token)).data)


def _show(shared: SharedMaterial, token: str) -> dict[str, Any]:
    card, guide = shared.material, guide_selectors.get_guide_card(shared.guide_id)
    return {
        "title": card.title,
        "text": card.text,
        "pictures": [{"url": one.url, "width": one.width, "height": one.height} for one in card.pictures],
        "page": card.mini_page,
        "batch_id": _batch(card.batch_id),
        "claim": {"scene": _scene(guide), "article": token},
        "guide": {"name": guide.name if guide.is_active else "", "store_name": guide.store.name},
    }


def _batch(batch_id: int | None) -> str | None:
    if batch_id is None:
        return None
    try:
        return coupon_selectors.get_batch(batch_id).public_id
    except NoSuchBatch:
        return None


def _scene(guide: GuideCard) -> str:
    """Her code, so that the claim counts for her as one that was made by it; empty while she has none."""
    try:
        return guide_selectors.get_guide_code(guide.id).code
    except NotFound:
        return ""
