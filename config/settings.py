"""The one settings file. Everything that differs between machines is read strictly from the environment.

Development and tests need nothing set; with PRODUCTION=true every secret must be given (core.checks).
docs/deployment.md lists each variable.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from config.navigation import SIDEBAR
from core.env import BadSetting, Env

django_stubs_ext.monkeypatch()  # ModelAdmin[Guide] and the like, at run time

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

PRODUCTION = env.flag("PRODUCTION", default=False)
DEBUG = env.flag("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise BadSetting("DEBUG=true is refused in production")

# Secrets -------------------------------------------------------------------------------------------------

SECRET_KEY = env.secret("SECRET_KEY", None if PRODUCTION else "insecure-sample-key-for-development-only")
SAMPLE_KEYS = [name for name in ("FIELD_KEYS", "INDEX_KEY") if not (env.has(name) or env.has(f"{name}_FILE"))]
_SAMPLE_KEY = "aW5zZWN1cmUtc2FtcGxlLWtleS0zMi1ieXRlcy1sb24="
FIELD_KEYS = env.secret("FIELD_KEYS", f"dev:{_SAMPLE_KEY}").split(",")
INDEX_KEYS = env.secret("INDEX_KEY", _SAMPLE_KEY).split(",")  # more than one while they are rotated

# Addresses -----------------------------------------------------------------------------------------------

PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_BASE_URL)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [_public.hostname or "127.0.0.1", "localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]

# Applications --------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "core",
    "wechat",
    "sms",
    "members",
    "guides",
    "coupons",
    "sales",
    "campaigns",
    "assistant",
    "miniapp",
    "openapi",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "core.StaffAccount"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "core.folding.Loader",
                    ["assistant"],
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# PostgreSQL ----------------------------------------------------------------------------------------------
# Without DATABASE_URL, manage.py, the demo and the tests start the embedded server (core.embedded) and set
# it. The default below only lets tools that never connect (mypy, collectstatic) import this file.

_dsn = conninfo_to_dict(env.text("DATABASE_URL", None if PRODUCTION else "postgresql:///xiaoer"))
_timeout_ms = env.whole("STATEMENT_TIMEOUT_MS", 30_000)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _dsn.pop("dbname", "xiaoer"),
        "USER": _dsn.pop("user", ""),
        "PASSWORD": _dsn.pop("password", ""),
        "HOST": _dsn.pop("host", ""),
        "PORT": _dsn.pop("port", ""),
        # One connection a thread, kept: threads are bounded by the server, and a pool in between costs more.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_dsn,
            "connect_timeout": 3,
            # Only what asks for it is prepared (core/compiled.py).
            "prepare_threshold": 1_000_000_000,
            "options": f"-c statement_timeout={_timeout_ms} -c lock_timeout=10000 "
            f"-c idle_in_transaction_session_timeout=60000",
        },
    }
}

# Redis and Celery ----------------------------------------------------------------------------------------
# REDIS_URL: redis://host:6379/0, or unix:///path/to/socket?db=0.

REDIS_URL = env.text("REDIS_URL", None if PRODUCTION else "redis://127.0.0.1:6379/0")


def _broker_url(redis_url: str) -> str:
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _query, query = redis_url.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or '0'}"


CELERY_BROKER_URL = _broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # rows and leases recover lost work (docs/architecture.md), not redelivery
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # kombu's own tries while the broker is away; left alone, each publish would hold its request for 6 s.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_PUBLISH_RETRY = False  # a publish that fails is found by the rescue jobs; never hold a request
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Asia/Shanghai"

# WeChat --------------------------------------------------------------------------------------------------
# WECHAT_BASE_URL points every WeChat host at the sandbox: <base>/api, <base>/mp, <base>/open.

_wechat_base = env.text("WECHAT_BASE_URL", "").rstrip("/")
WECHAT_HOSTS = {
    host: f"{_wechat_base}/{prefix}" if _wechat_base else f"https://{host}"
    for host, prefix in {
        "api.weixin.qq.com": "api",
        "mp.weixin.qq.com": "mp",
        "open.weixin.qq.com": "open",
    }.items()
}
WECHAT_TIMEOUT_S = env.whole("WECHAT_TIMEOUT_S", 8)
# How old a push may be before it counts as a replay. WeChat retries within 15 s; the rest is clock error.
WECHAT_PUSH_MAX_AGE_S = env.whole("WECHAT_PUSH_MAX_AGE_S", 7_200)
# How long a worker may hold a push or a message before another takes it over; longer than any handler takes.
WECHAT_LEASE_S = env.whole("WECHAT_LEASE_S", 60)
# How many messages a second all workers together send for one account over one channel, until staff set another number.
WECHAT_SEND_RATE_PER_S = env.whole("WECHAT_SEND_RATE_PER_S", 200)
# How many calls a day (a hundred people each) the pass over all followers may spend on their unionids.
WECHAT_FOLLOWER_LOOKUPS_PER_DAY = env.whole("WECHAT_FOLLOWER_LOOKUPS_PER_DAY", 20_000)
WECHAT_INBOX_KEEP_DAYS = env.whole("WECHAT_INBOX_KEEP_DAYS", 30)
CONVERSATION_KEEP_DAYS = env.whole("CONVERSATION_KEEP_DAYS", 180)

# Coupons -------------------------------------------------------------------------------------------------
# How long a guide's face-to-face code hands out coupons; a picture passed on is worth nothing after that.

FACE_TO_FACE_MINUTES = env.whole("FACE_TO_FACE_MINUTES", 10)
if not 1 <= FACE_TO_FACE_MINUTES <= 24 * 60:
    raise BadSetting(f"FACE_TO_FACE_MINUTES takes 1 to 1440, not {FACE_TO_FACE_MINUTES}")

# Text messages -------------------------------------------------------------------------------------------
# SMS_GATEWAY: console (prints the text, development only), tencent (Tencent Cloud), or empty.

SMS_GATEWAY = env.text("SMS_GATEWAY", "" if PRODUCTION else "console")
if SMS_GATEWAY not in {"", "console", "tencent"}:
    raise BadSetting(f"SMS_GATEWAY takes console, tencent or nothing, not {SMS_GATEWAY!r}")
SMS_ENDPOINT = env.text("SMS_ENDPOINT", "https://sms.tencentcloudapi.com")
SMS_REGION = env.text("SMS_REGION", "ap-guangzhou")
SMS_APP_ID = env.text("SMS_APP_ID", "")
SMS_KEY_ID = env.text("SMS_KEY_ID", "")
SMS_KEY_SECRET = env.secret("SMS_KEY_SECRET", "")
# The part of the callback's address that nobody else knows; without it the provider's reports are refused.
SMS_CALLBACK_KEY = env.secret("SMS_CALLBACK_KEY", "")
if SMS_CALLBACK_KEY and not re.fullmatch(r"[A-Za-z0-9_-]{20,80}", SMS_CALLBACK_KEY):
    raise BadSetting("SMS_CALLBACK_KEY takes 20 to 80 letters, digits, - and _")
SMS_PULL_REPORTS = env.flag("SMS_PULL_REPORTS", False)
# How many texts of one purpose all workers together send a second, until staff set another number.
SMS_SEND_RATE_PER_S = env.whole("SMS_SEND_RATE_PER_S", 100)
# What a hundred texts (of up to 70 characters) cost, in fen.
SMS_PRICE_FEN_PER_100 = env.whole("SMS_PRICE_FEN_PER_100", 450)
SMS_MARKETING_PRICE_FEN_PER_100 = env.whole("SMS_MARKETING_PRICE_FEN_PER_100", 500)
SMS_TIMEOUT_S = env.whole("SMS_TIMEOUT_S", 8)
SMS_KEEP_DAYS = env.whole("SMS_KEEP_DAYS", 30)

# Reaching members ----------------------------------------------------------------------------------------
# Threads of one worker that ask WeChat at the same time.

REACH_THREADS = env.whole("REACH_THREADS", 8)
if not 1 <= REACH_THREADS <= 64:
    raise BadSetting(f"REACH_THREADS takes 1 to 64, not {REACH_THREADS}")
# Processes that send at the same time, of all workers; the others stay free for pushes, answers and orders.
REACH_SENDERS = env.whole("REACH_SENDERS", 2)
if REACH_SENDERS < 1:
    raise BadSetting(f"REACH_SENDERS takes 1 or more, not {REACH_SENDERS}")
# Processes that move members in journeys at the same time, of all workers.
JOURNEY_RUNNERS = env.whole("JOURNEY_RUNNERS", 2)
if JOURNEY_RUNNERS < 1:
    raise BadSetting(f"JOURNEY_RUNNERS takes 1 or more, not {JOURNEY_RUNNERS}")
JOURNEY_KEEP_DAYS = env.whole("JOURNEY_KEEP_DAYS", 180)
# Hosts that webhooks may call although they lie in our own network, over http too; with a port or without.
WEBHOOK_INSIDE_HOSTS = env.words("WEBHOOK_INSIDE_HOSTS")
WEBHOOK_KEEP_DAYS = env.whole("WEBHOOK_KEEP_DAYS", 90)
REACH_KEEP_DAYS = env.whole("REACH_KEEP_DAYS", 180)
INBOX_KEEP_DAYS = env.whole("INBOX_KEEP_DAYS", 365)

# REST APIs -----------------------------------------------------------------------------------------------

MINI_ACCESS_TOKEN_S = env.whole("MINI_ACCESS_TOKEN_S", 1_800)
MINI_REFRESH_TOKEN_DAYS = env.whole("MINI_REFRESH_TOKEN_DAYS", 30)
# Views of the API say all else themselves (rest/views.py); Django's users are no members.
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {  # for both OpenAPI documents; the rest of each is in rest/schema.py
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
}
MINI_CLAIM_PAGE = env.text("MINI_CLAIM_PAGE", "pages/coupons/claim")  # gets `batch`, or it as a scene
MINI_MATERIAL_PAGE = env.text("MINI_MATERIAL_PAGE", "pages/materials/material")  # gets a token as scene
# How many proxies of ours stand in front: limits by address count the caller that the outermost one saw.
PROXY_COUNT = env.whole("PROXY_COUNT", 1 if PRODUCTION else 0)

SCOPES = "config.scopes.SCOPES"  # row-level rights, read by core.admin
MEMBER_HOLDINGS = "config.member_holdings.HOLDINGS"
SEGMENT_CONDITIONS = "config.segment_conditions.CONDITIONS"
SEGMENT_FACETS = "config.segment_conditions.FACETS"
MEMBER_TELLER = "campaigns.services.tell_members"  # what members are told goes there
MEMBER_SILENCER = "campaigns.services.take_back"
# Kinds of reply parts that apps above the gateway bring.
REPLY_KINDS = "config.reply_kinds.REPLY_KINDS"

# The chain's own look, for posters and pages ----------------------------------------------------------------

BRAND_NAME = env.text("BRAND_NAME", "素衣 SUYI")
BRAND_COLOUR = env.text("BRAND_COLOUR", "#1f6f54")
BRAND_LOGO = env.text("BRAND_LOGO", "")  # path of a square PNG; without it posters show the name

# Language, time, files -----------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文")]  # texts are wrapped for translation; another language joins here
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
# Served from STATIC_ROOT, hashed and compressed, after `collectstatic`; otherwise straight from the sources.
STATIC_HASHED = env.flag("STATIC_HASHED", default=PRODUCTION)
_packages = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    ("", BASE_DIR / "static"),
    ("vendor/weui", _packages / "weui" / "dist" / "style"),
    ("vendor/htmx", _packages / "htmx.org" / "dist"),
    ("vendor/weixin-js-sdk", _packages / "weixin-js-sdk"),
    ("vendor/barcode-detector", _packages / "barcode-detector" / "dist" / "iife"),
    ("vendor/zxing", _packages / "zxing-wasm" / "dist" / "reader"),
]
STATICFILES_DIRS = [(prefix, folder) for prefix, folder in STATICFILES_DIRS if folder.exists()]
# Of these packages one file only; it keeps its name.
PACKAGE_FILES = {
    "vendor/echarts/echarts.common.min.js": _packages / "echarts" / "dist" / "echarts.common.min.js"
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "core.static_files.PackageFiles",
]
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(BASE_DIR / "var" / "media")))
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_HASHED
# Files of members to be imported: personal data, never under MEDIA_ROOT, which anybody may read.
IMPORT_ROOT = Path(env.text("IMPORT_ROOT", str(MEDIA_ROOT.parent / "imports")))
IMPORT_KEEP_DAYS = env.whole(
    "IMPORT_KEEP_DAYS", 7
)  # then the file and all that is left of its rows is deleted
# Long lists that staff asked for as files: personal data as well, kept for some days.
EXPORT_ROOT = Path(env.text("EXPORT_ROOT", str(MEDIA_ROOT.parent / "exports")))
EXPORT_KEEP_DAYS = env.whole("EXPORT_KEEP_DAYS", 3)
AREA_DATA = BASE_DIR / "node_modules" / "@vant" / "area-data" / "dist" / "index.cjs"
FONT_DIR = BASE_DIR / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"

# Safety --------------------------------------------------------------------------------------------------

SESSION_ENGINE = "core.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.error_pages.csrf_failed"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a journey of sixty steps with a rule at each is one form

# Logs ----------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "core.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING", "propagate": True},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "urllib3": {"level": "WARNING"},
        "urllib3.connection": {"level": "ERROR"},  # its warning about odd headers prints the whole address
        "celery": {"level": "WARNING"},
    },
}

# Admin ---------------------------------------------------------------------------------------------------

LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = {
    "SITE_TITLE": _("小二后台"),
    "SITE_HEADER": _("小二 · 私域后台"),
    "SITE_SYMBOL": "storefront",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "core.admin.dashboard.fill",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("admin_xiaoer/favicon.svg")}
    ],
    "STYLES": [lambda request: static("admin_xiaoer/admin.css")],
    "SCRIPTS": [lambda request: static("admin_xiaoer/admin.js")],
    "COLORS": {
        "primary": {
            "50": "#eff8f4",
            "100": "#d7eee4",
            "200": "#b2dccb",
            "300": "#82c3ab",
            "400": "#52a588",
            "500": "#33896c",
            "600": "#1f6f54",
            "700": "#1a5945",
            "800": "#174738",
            "900": "#143b2f",
            "950": "#0a211b",
        }
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": SIDEBAR},
}
