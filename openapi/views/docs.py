"""The OpenAPI document, the same for people, and the answer to unknown addresses."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from openapi.api import API, Limit, OpenView
from openapi.schema import document
from rest.reference import show_reference
from rest.views import NothingHere


class DocumentView(OpenView):
    """`GET openapi.json`"""

    schema = None  # it does not describe itself
    limits = {"get": (Limit("ip", 60, 60),)}

    def get(self, request: Request) -> Response:
        return Response(document())


class NothingHereView(NothingHere):
    """Every other address, whatever the method."""

    api = API


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The document as a page that needs no script."""
    return show_reference(request, "openapi/reference.html", document())
