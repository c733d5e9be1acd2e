"""A face-to-face offer inside a running stack: prints the scene of its code."""

SOURCE = """
from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, TemplateTerms
from coupons.models import FaceToFaceOffer
from guides.selectors import get_channel_code
actor = Actor.guide({guide}, "李娜")
template = services.create_template(
    terms=TemplateTerms(title="见面礼", kind="cash_off", off_fen=3_000, validity="from_today", valid_days=7), actor=actor)
batch = services.create_batch(template_id=template.id, terms=BatchTerms(
    name="见面礼", quota=10, doors=("face_to_face",), guide_quota=5), actor=actor)
services.open_batch(batch_id=batch.id, actor=actor)
card = services.open_face_to_face(batch_id=batch.id, guide_id={guide}, request_key=card_key(), actor=actor)
print(get_channel_code(FaceToFaceOffer.objects.get(public_id=card.public_id).channel_code_id).code)
"""


def offer_source(guide_id: int) -> str:
    """Python for `Stack.run_in_django`."""
    return "from core.codes import new_public_id as card_key\n" + SOURCE.format(guide=guide_id)
