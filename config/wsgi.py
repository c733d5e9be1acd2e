"""The WSGI entry: WeChat's callback is served in front of Django's handler, all else by Django.

docs/adr/0003-callback-in-front-of-django.md has the measurement behind it.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

from wechat.views import CallbackMount  # noqa: E402  (needs the apps to be loaded)

application = CallbackMount(_django)
