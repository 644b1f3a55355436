"""Django settings, derived from `heimdex.environment`; nothing here opens a model file, a socket or a database."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from heimdex.api_schema import SCHEMA_SETTINGS
from heimdex.database.connection_info import build_database_settings, changes_schema
from heimdex.environment import Environment
from heimdex.lexical_settings import build_lexical_settings
from heimdex.logs import choose_level, configure_logging
from heimdex.mail_server import MailServer
from heimdex.profiles import PROFILES
from heimdex.queue import QUEUES, REPROCESS, UPLOADS, Task, build_cluster_settings
from heimdex.redaction import register_secrets
from heimdex.storage import build_media_storage_settings

ENVIRONMENT = Environment.load()

BASE_DIR = Path(__file__).resolve().parent.parent
HEIMDEX_HOME = ENVIRONMENT.home

_KEYS = ENVIRONMENT.resolve_secret_keys()
SECRET_KEY = _KEYS.current
# They verify what they signed before a rotation, and sign nothing.
SECRET_KEY_FALLBACKS = list(_KEYS.fallbacks)
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = [host.strip() for host in ENVIRONMENT.allowed_hosts.split(",") if host.strip()]
CSRF_TRUSTED_ORIGINS = [origin.strip() for origin in ENVIRONMENT.csrf_trusted_origins.split(",") if origin.strip()]

INSTALLED_APPS = [
    # Before our own apps: heimdex.admin replaces its editable admin pages.
    "django_q",
    # Before our own apps: heimdex.accounts.admin removes their admin pages.
    "allauth.account",
    "allauth.mfa",
    "heimdex.accounts",
    "heimdex.outages",
    "heimdex.apps.HeimdexConfig",
    "videos",
    "people",
    "reprocess",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "heimdex.security.add_content_security_policy",
    "heimdex.security.forbid_storing",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "heimdex.error_pages.ErrorPagesMiddleware",
]

ROOT_URLCONF = "heimdex.urls"
WSGI_APPLICATION = "heimdex.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "heimdex" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "heimdex.accounts.registration.describe_registration",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {"default": build_database_settings(ENVIRONMENT, as_superuser=changes_schema(sys.argv))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    # Locked out clients do not get this far, and no password has been hashed yet.
    "heimdex.accounts.login_rate.LoginRateBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Who may register: everyone, people with an invitation, or nobody.
REGISTRATION = ENVIRONMENT.registration
_MAIL = MailServer.parse(ENVIRONMENT.email_url or "smtp://localhost")
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.host, _MAIL.port, _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.scheme == "smtp+tls", _MAIL.scheme == "smtps"
# A request waits for the mail server.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from
# Seconds that a link to choose a new password works.
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

# Only the models and functions of django-allauth's second factors are used, none of its URLs (ADR 18). Accounts have no user names.
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
MFA_ADAPTER = "heimdex.accounts.mfa_adapter.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
# A clock may be wrong by half a minute.
MFA_TOTP_TOLERANCE = 1

LANGUAGE_CODE = "en-us"
TIME_ZONE = ENVIRONMENT.time_zone
USE_TZ = True
STATIC_URL = "/static/"
# Serve static files from the packages, so that a checkout needs no collectstatic.
WHITENOISE_USE_FINDERS = True

SESSION_ENGINE = "heimdex.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.https else None
SECURE_SSL_REDIRECT = ENVIRONMENT.https
# Load balancers and the supervisor check the health without TLS.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^health/ready$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENVIRONMENT.https else 0
# HSTS for subdomains and the preload lists of browsers concern other sites too: the owner of the domain decides.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if not ENVIRONMENT.https:
    # HSTS, the redirect and secure cookies: one setting switches them on, and heimdex.W016 names it.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
X_FRAME_OPTIONS = "DENY"

register_secrets([SECRET_KEY, *SECRET_KEY_FALLBACKS, DATABASES["default"]["PASSWORD"], *ENVIRONMENT.list_secrets()])
LOGGING_CONFIG = None
LOGGING = configure_logging(ENVIRONMENT.log_format, choose_level(ENVIRONMENT.log_format, ENVIRONMENT.log_level, sys.argv))

MODEL_BACKENDS = PROFILES[ENVIRONMENT.profile](ENVIRONMENT)
# Secrets for models of older spaces: a space stores how to build its model, but no secrets.
MODEL_SECRETS = {"api_key": ENVIRONMENT.openai_api_key}

REDIS_URL = ENVIRONMENT.redis_url
QUEUE_TASKS = [
    Task("videos.tasks.ingest_video", queue=UPLOADS),
    Task("videos.tasks.rescue_videos", queue=UPLOADS, every_s=15),
    Task("videos.tasks.forget_queries", queue=UPLOADS, every_s=3600),
    Task("videos.tasks.backfill_missing_words", queue=REPROCESS),
    Task("videos.tasks.find_missing_words", queue=REPROCESS, every_s=60),
    Task("heimdex.accounts.tasks.delete_unused_rate_limits", queue=UPLOADS, every_s=3600),
    # By the workers of both queues, because either may run alone; each outage is probed by one of them.
    Task("heimdex.outages.tasks.probe_outages", queue=UPLOADS, every_s=5),
    Task("heimdex.outages.tasks.probe_outages", queue=REPROCESS, every_s=5),
    # By the workers' own process: an e-mail does not wait behind an ingest.
    Task("heimdex.accounts.tasks.send_password_resets", queue=UPLOADS, every_s=5),
    Task("reprocess.tasks.refresh_people", queue=UPLOADS),
    Task("reprocess.tasks.requeue_stale_people", queue=UPLOADS, every_s=300),
    Task("people.tasks.find_ungrouped_faces", queue=REPROCESS, every_s=60),
    Task("people.tasks.group_faces", queue=REPROCESS),
    Task("people.tasks.rescue_photos", queue=UPLOADS, every_s=15),
    Task("reprocess.tasks.work_run", queue=REPROCESS),
    Task("reprocess.tasks.rescue_runs", queue=REPROCESS, every_s=15),
    Task("reprocess.tasks.transfer_library", queue=REPROCESS),
    Task("reprocess.tasks.pack_vectors", queue=REPROCESS),
    Task("reprocess.tasks.find_unpacked_vectors", queue=REPROCESS, every_s=60),
]
if ENVIRONMENT.lexical == "opensearch":
    # By the workers of both queues, because either may run alone.
    QUEUE_TASKS += [Task("videos.tasks.send_search_changes", queue=queue, every_s=2) for queue in QUEUES]
Q_CLUSTER = build_cluster_settings(
    workers={UPLOADS: ENVIRONMENT.upload_workers, REPROCESS: ENVIRONMENT.reprocess_workers},
    task_timeout_s=ENVIRONMENT.task_timeout_s,
)

# Search for words: `LexicalBackend` classes (videos/search/lexical) and their options. Search uses "default".
LEXICAL_BACKENDS: dict[str, dict[str, Any]] = build_lexical_settings(ENVIRONMENT)

# How long the database may work on the channels of a search.
SEARCH_SECONDS = ENVIRONMENT.search_s
CUTOVER_MAX_FAILED = ENVIRONMENT.cutover_max_failed
CUTOVER_MIN_OVERLAP = ENVIRONMENT.cutover_min_overlap
CUTOVER_MAX_LOSS = ENVIRONMENT.cutover_max_loss
KEEP_RETIRED_DAYS = ENVIRONMENT.keep_retired_days
# Up to this many vectors per owner and space are compared one by one in a few milliseconds.
PACK_MIN_VECTORS = ENVIRONMENT.pack_min_vectors
LEASE_SECONDS = ENVIRONMENT.lease_s
HUNG_AFTER_SECONDS = ENVIRONMENT.hung_after_s
MAX_ATTEMPTS = ENVIRONMENT.max_attempts
MODEL_PRICES = ENVIRONMENT.prices
MAX_RUN_COST = ENVIRONMENT.max_run_cost
MAX_UPLOAD_BYTES = ENVIRONMENT.max_upload_bytes
MAX_OWNER_BYTES = ENVIRONMENT.max_owner_bytes
MAX_OWNER_MINUTES = ENVIRONMENT.max_owner_minutes
MAX_OPEN_UPLOADS = ENVIRONMENT.max_open_uploads
DISK_RESERVE_BYTES = ENVIRONMENT.disk_reserve_bytes
MAX_PHOTOS = ENVIRONMENT.max_photos
MAX_PHOTO_BYTES = ENVIRONMENT.max_photo_bytes
MAX_DURATION_SECONDS = ENVIRONMENT.max_duration_s
LONGEST_SCENE_SECONDS = ENVIRONMENT.longest_scene_s
MAX_PIXELS = ENVIRONMENT.max_pixels
MAX_FPS = ENVIRONMENT.max_fps
MAX_STREAMS = ENVIRONMENT.max_streams
DECODER_MEMORY_BYTES = ENVIRONMENT.decoder_memory_bytes
DECODER_SECONDS = ENVIRONMENT.decoder_s
DECODER_RATIO = ENVIRONMENT.decoder_ratio
STAGE_SECONDS = ENVIRONMENT.stage_s
STAGE_RATIO = ENVIRONMENT.stage_ratio
RETRY_AFTER_SECONDS = ENVIRONMENT.retry_after_s
UPLOAD_TTL_SECONDS = ENVIRONMENT.upload_ttl_s
LINK_TTL_SECONDS = ENVIRONMENT.link_ttl_s
WEB_THREADS = ENVIRONMENT.web_threads
CLIENT_PATIENCE_SECONDS = ENVIRONMENT.client_patience_s
CLIENT_MIN_BYTES_PER_SECOND = ENVIRONMENT.client_min_bytes_per_s

# Per owner, or per address of a client that has not logged in. heimdex.accounts.rate_limits counts them.
RATE_LIMITS = {
    "search": "240/minute",
    "upload": "600/hour",
    "reprocess": "30/hour",
    "registration": "20/hour",
    "confirmation": "10/day",
    "password_change": "10/hour",
    "password_reset": "10/hour",
    "password_reset_address": "20/hour",
    "two_factor": "30/hour",
    "login": "30/minute",
    "failed_login_address": "50/hour",
    "failed_login_account": "50/hour",
    **ENVIRONMENT.rate_limits,
}

# JWT comes first because it sets WWW-Authenticate: requests without credentials then get 401 instead of 403.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # Only JSON, which other sites cannot send without a preflight; the open endpoints rely on this against CSRF.
    "DEFAULT_PARSER_CLASSES": ["heimdex.api.ShallowJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "heimdex.api.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "heimdex.api.handle_exception",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
}
AXES_VERBOSE = False
AXES_HANDLER = "heimdex.accounts.login_attempts.LoginAttemptHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Axes stores the fields of a failed login's form.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "credential"]
# Otherwise the wait announced to a client that keeps trying would never end.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# It would start a session for each token; last_login holds the same information.
AXES_DISABLE_ACCESS_LOG = True
AXES_USERNAME_CALLABLE = "heimdex.accounts.lockout.get_attempted_email"
AXES_CLIENT_IP_CALLABLE = "heimdex.accounts.lockout.get_client_ip"
AXES_LOCKOUT_CALLABLE = "heimdex.accounts.lockout.build_lockout_response"
SPECTACULAR_SETTINGS = SCHEMA_SETTINGS
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "media": build_media_storage_settings(ENVIRONMENT),
}
