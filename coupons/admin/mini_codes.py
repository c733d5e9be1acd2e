"""The code of a batch for posters: scanned with WeChat it opens the claim page of the mini-program."""

import io
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from PIL import Image

from core.admin import BaseAdmin
from core.errors import Refusal
from wechat.services.accounts import get_default_mini_program
from wechat.services.mini_program import fetch_mini_code

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

_WIDTH = 860


class MiniCodes(_Base):
    """Mix into the admin of batches."""

    def mini_code_view(self, request: HttpRequest, pk: int, model_admin: object = None) -> HttpResponse:
        """The picture as PNG, fetched from WeChat; its refusal is told on the batch's page."""
        row = self.subject(request, str(pk))
        if row is None or not self.has_view_permission(request, row):
            raise PermissionDenied
        try:
            account = get_default_mini_program()
            picture = fetch_mini_code(
                account_id=account.id, scene=row.public_id, page=settings.MINI_CLAIM_PAGE, width=_WIDTH
            )
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse("admin:coupons_couponbatch_change", args=[pk]))
        out = io.BytesIO()
        Image.open(io.BytesIO(picture)).convert("RGB").save(out, "PNG")
        response = HttpResponse(out.getvalue(), content_type="image/png")
        name = _("%(batch)s-领券码.png") % {"batch": row.name}
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return response
