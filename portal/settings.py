"""Every setting, top to bottom; what differs between machines comes from the environment.

Development, tests and production run this same file. `.env.example` explains each variable.
"""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal import env
from portal.embedded import paths as embedded

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The deployment -------------------------------------------------------------------

DEBUG = env.boolean("DEBUG", default=False)
# The servers that `manage.py demo` starts live beside the checkout; they need no secrets.
IS_EMBEDDED = not embedded.is_set("DATABASE_URL")
SECRET_KEY = env.text("SECRET_KEY", embedded.secret_key() if IS_EMBEDDED else None)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# The address people reach the portal at: used in mails, where there is no request.
PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")
IS_HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# The class that takes money from cards; empty for none: billing.gateways.
PAYMENT_GATEWAY = env.text("PAYMENT_GATEWAY", "")
# What telephones register with; shown beside a line's user name.
SIP_SERVER = env.text("SIP_SERVER", urlsplit(PUBLIC_URL).hostname or "localhost")

# --- Apps -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "customers",
    "billing",
    "rateplans",
    "portal",
    "portal.core",
    "portal.core.administration.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "js_lib_bootstrap5",
]

MIDDLEWARE = [
    "portal.core.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.core.middleware.SourceAddressMiddleware",
    "portal.core.sessions.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "customers.middleware.SignedInMiddleware",
    "customers.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.navigation.shell",
            ],
            "builtins": ["portal.templatetags.portal"],
            "libraries": {"lucide": "portal.templatetags.icons"},
        },
    },
]
FORM_RENDERER = "portal.core.rendering.FormRenderer"

# --- Data -----------------------------------------------------------------------------

_database = dj_database_url.parse(env.text("DATABASE_URL", embedded.database_url()))
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 0,  # the pool keeps connections; Django's own reuse must be off
        "OPTIONS": {
            **_database.get("OPTIONS", {}),
            # Threads of one process share them: half as much throughput again.
            "pool": {
                "min_size": 1,
                "max_size": env.integer("DATABASE_POOL", default=10),
                "timeout": 10,
            },
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL", embedded.redis_url())
CACHES = {
    "default": {
        "BACKEND": "portal.core.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "trunkline",
        # Seconds. Nobody waits long for what is there only to save time.
        "OPTIONS": {
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
            "retry": Retry(NoBackoff(), retries=1),
        },
    }
}

# --- Background work ------------------------------------------------------------------

# Celery names a Redis socket, and the numbered database behind it, in its own way.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host=", 1
)
CELERY_TASK_IGNORE_RESULT = True  # rows hold the truth; nobody reads results
CELERY_TASK_ACKS_LATE = True  # a killed worker's task is handed to another
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Seconds after which a task is told to end, and then killed, unless it says otherwise. All
# must be less than `visibility_timeout` below: a task that takes longer is given to another
# worker while the first is still at it.
CELERY_TASK_SOFT_TIME_LIMIT = 2700
CELERY_TASK_TIME_LIMIT = 3000
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Kilobytes. What draws PDFs grows slowly, in C libraries; a new process takes over.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
# A request must not hang because the broker is away: the sweep picks the row up later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 3600,  # seconds
    # To announce a task: once more at once, then it is left to the sweep. Workers have
    # their own, endless patience.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "send-waiting-emails": {
        "task": "portal.core.jobs.send_waiting_emails",
        "schedule": 30,
        "options": {"expires": 30},  # while no worker is there they must not pile up
    },
    "forget-old-rows": {"task": "portal.core.jobs.forget_old_rows", "schedule": 3600},
    "close-periods": {
        "task": "billing.jobs.close_periods",
        "schedule": crontab(minute=5),  # in every hour a day begins somewhere
        "options": {"expires": 3600},
    },
    "go-on-with-runs": {
        "task": "billing.jobs.go_on_with_runs",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "go-on-with-imports": {
        "task": "billing.jobs.go_on_with_imports",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "issue-pending": {
        "task": "billing.jobs.issue_pending",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 36_000},
    },
    "draw-waiting-invoices": {
        "task": "billing.jobs.draw_waiting_invoices",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "mark-overdue-invoices": {
        "task": "billing.jobs.mark_overdue_invoices",
        "schedule": crontab(minute=10),  # in every hour a day begins somewhere
        "options": {"expires": 3600},
    },
    "collect-card-invoices": {
        "task": "billing.jobs.collect_card_invoices",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "follow-overdue-locks": {
        "task": "customers.jobs.follow_overdue_locks",
        "schedule": crontab(minute=15),
        "options": {"expires": 3600},
    },
    "remind-of-invoices": {
        "task": "customers.jobs.remind_of_invoices",
        "schedule": crontab(minute=20),
        "options": {"expires": 3600},
    },
    "mail-invoices": {
        "task": "customers.jobs.mail_invoices",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "tell-low-balances": {
        "task": "customers.jobs.tell_low_balances",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "check-ledger": {
        "task": "billing.jobs.check_ledger",
        "schedule": crontab(hour=3, minute=40),
        "options": {"expires": 36_000},
    },
}

# --- Mail -----------------------------------------------------------------------------

EMAIL_URL = env.text("EMAIL_URL", "")
# Without a mail server nothing is thrown away: mails stay readable in the portal.
EMAIL_IS_KEPT = not EMAIL_URL
if EMAIL_URL:
    vars().update(dj_email_url.parse(EMAIL_URL))
    if EMAIL_URL.startswith(("smtp", "subm")):
        EMAIL_BACKEND = "portal.core.smtp.EmailBackend"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Trunkline <portal@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- People and sessions --------------------------------------------------------------

AUTH_USER_MODEL = "customers.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "customers.backends.PersonBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        (
            "UserAttributeSimilarityValidator",
            {"user_attributes": ("username", "emails")},
        ),
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_RESET_TIMEOUT = (
    2 * 60 * 60
)  # seconds; a forgotten password is asked for just now
WELCOME_LINK_TIMEOUT = 7 * 24 * 60 * 60  # seconds; login details may lie over a holiday
SWITCH_TIMEOUT = 60 * 60  # seconds a switch into a customer stays open

SESSION_ENGINE = "portal.core.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
SESSION_COOKIE_NAME = "trunkline_session"
CSRF_COOKIE_NAME = "trunkline_csrf"
CSRF_FAILURE_VIEW = "portal.core.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "customers.backends.axes_username"
AXES_CLIENT_IP_CALLABLE = "portal.core.middleware.source_address"
AXES_LOCKOUT_CALLABLE = "customers.views.sign_in.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code"]  # not written down
AXES_VERBOSE = False  # it greets at every start otherwise
OTP_ADMIN_HIDE_SENSITIVE_DATA = True

# --- Safety ---------------------------------------------------------------------------

SECURE_SSL_REDIRECT = IS_HTTPS and env.boolean("SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Number of proxies in front whose X-Forwarded-For and -Proto headers are to be believed.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", default=0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Language, time, static files -----------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without collectstatic, as in demo and tests, files are looked up where they lie.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not STATIC_ROOT.exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT.exists()
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "weasyprint.progress": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}

if not DEBUG and len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must be at least 50 random characters.")

# auth.W004 looks at the user name itself; its normalised key is what is unique.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
