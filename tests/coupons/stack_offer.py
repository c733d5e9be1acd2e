"""A face-to-face offer, or a standing rule, inside a running stack: Python for `Stack.run_in_django`."""

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
    """Prints the scene of the offer's code."""
    return "from core.codes import new_public_id as card_key\n" + SOURCE.format(guide=guide_id)


RULE = """
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, StandingTerms, TemplateTerms
actor = Actor.system("test")
template = services.create_template(
    terms=TemplateTerms(title="欢迎券", kind="cash_off", off_fen=1_000, validity="from_today", valid_days=7), actor=actor)
batch = services.create_batch(
    template_id=template.id, terms=BatchTerms(name="欢迎券", quota=10, doors=("system",)), actor=actor)
services.open_batch(batch_id=batch.id, actor=actor)
rule = services.create_standing_rule(
    terms=StandingTerms(name="欢迎券", occasion="first_bound", batch_id=batch.id), actor=actor)
services.switch_rule_on(rule_id=rule.id, actor=actor)
print(rule.id)
"""
