"""Pages of failed requests: each offers the way back to where the person was. They read nothing, whatever is broken."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext_lazy as _

_WAYS: Final = (("/admin/", _("回到后台首页")), ("/a/", _("回到今日")))


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, "403.html", 403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, "403_csrf.html", 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(request, "500.html", 500)


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    way = next(((url, words) for url, words in _WAYS if request.path.startswith(url)), None)
    return HttpResponse(loader.get_template(template).render({"way_back": way}), status=status)
