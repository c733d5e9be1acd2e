"""The callback's second mount: the same function entered through Django's handler, middlewares and URLs."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
