"""The project's addresses and the floor: a bare view with one query."""

from django.apps import apps
from django.http import HttpRequest, JsonResponse
from django.urls import path

from config.urls import urlpatterns as project

_FIELDS = ("public_id", "name", "gender", "birthday", "stage")


def one_query(request: HttpRequest) -> JsonResponse:
    """What the least an endpoint about one member could do: read her row, write it out."""
    row = apps.get_model("members", "Member").objects.order_by("pk").values(*_FIELDS).first()
    return JsonResponse(row or {})


urlpatterns = [path("bench/one-query/", one_query), *project]
