"""The environment variables that configure an installation, typed and validated once."""

import difflib
import json
import re
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from heimdex.accounts.rates import ACTIONS, Rate
from heimdex.lexical_settings import SECRET_LEXICAL_VARIABLES, LexicalVariables
from heimdex.mail_server import MailServer
from heimdex.redis_broker import find_url_problem
from heimdex.secret_keys import SecretKeys, create_secret_key, read_secret_keys

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CHECKOUT = Path(__file__).resolve().parent.parent
PREFIX = "HEIMDEX_"
# The supervisor marks its processes with it; nobody sets it.
SUPERVISED_HOME = "HEIMDEX_SUPERVISED_HOME"
# The folder of judged sets that `make bench` reads. It is no setting of an installation.
QUALITY_SETS = "HEIMDEX_QUALITY_SETS"
OF_TESTS = ("HEIMDEX_TEST_OPENSEARCH_URL", "HEIMDEX_REQUIRE_OPENSEARCH")

# Upper limits keep dates within the calendar and numbers within their columns.
DAY_S = 24 * 3600
TEN_YEARS_S = 3650 * DAY_S
MAX_DAYS = 36_500
MAX_BYTES = 2**50
# Values of these variables may hold passwords or keys.
_UNPRINTABLE = SECRET_LEXICAL_VARIABLES | {"email_url", "redis_url", "models", "s3_secret_key", "secret_key_fallbacks"}

# An address, alone or after a name.
_SENDER = re.compile(r"[^\s@<>]+@[^\s@<>]+|[^@<>\r\n]+<[^\s@<>]+@[^\s@<>]+>")


class ModelOverride(BaseModel):
    """One model of `HEIMDEX_MODELS`: a `backend` (a short name from `heimdex.profiles` or a dotted class path) and its options."""

    model_config = ConfigDict(extra="allow")

    backend: str = ""


class Environment(LexicalVariables):
    """Each field reads the variable `HEIMDEX_<NAME>`; docs/reference/configuration.md lists them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    home: Path = CHECKOUT / ".heimdex"
    profile: Literal["packaged", "packaged-multilingual", "local", "openai"] = "packaged"

    debug: bool = False
    secret_key: str = ""
    # Older keys, which still verify what they signed.
    secret_key_fallbacks: Annotated[tuple[str, ...], NoDecode] = ()
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    csrf_trusted_origins: str = ""
    public_url: str = ""
    https: bool = False
    registration: Literal["open", "invite", "closed"] = "open"
    time_zone: str = "UTC"
    # New accounts confirm their address, and invitations are sent.
    email_url: str = ""
    email_from: str = Field(default="", validate_default=True)
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    database_url: str = ""
    redis_url: str = ""
    web_port: int = Field(default=8000, ge=1, le=65535)
    web_threads: int = Field(default=8, ge=1, le=256)
    # How long a client may pause, and the average rate below which it is cut off.
    client_patience_s: float = Field(default=30, gt=0, le=DAY_S)
    client_min_bytes_per_s: int = Field(default=4096, ge=1, le=MAX_BYTES)
    upload_workers: int = Field(default=1, ge=1, le=64)
    reprocess_workers: int = Field(default=1, ge=1, le=64)

    storage: Literal["local", "s3"] = "local"
    s3_bucket: str = Field(default="", validate_default=True)
    s3_endpoint_url: str = ""
    # The endpoint that clients use, if it differs from the one this server uses.
    s3_public_endpoint_url: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: str = Field(default="", validate_default=True)

    max_upload_bytes: int = Field(default=10 * 1024**3, ge=1, le=MAX_BYTES)
    # Per owner: all uploaded files, the length of all videos, and uploads that are announced and not completed.
    max_owner_bytes: Annotated[int, Field(ge=0, le=MAX_BYTES)] | None = None
    max_owner_minutes: Annotated[int, Field(ge=0, le=TEN_YEARS_S // 60)] | None = None
    max_open_uploads: int = Field(default=50, ge=1, le=1_000_000)
    # What uploads leave free on the disk of the files.
    disk_reserve_bytes: int = Field(default=1024**3, ge=0, le=MAX_BYTES)
    # Per person.
    max_photos: int = Field(default=20, ge=1, le=1000)
    max_photo_bytes: int = Field(default=25 * 1024**2, ge=1, le=MAX_BYTES)
    upload_ttl_s: int = Field(default=DAY_S, ge=60, le=TEN_YEARS_S)
    link_ttl_s: int = Field(default=3600, ge=60, le=TEN_YEARS_S)
    max_duration_s: int = Field(default=6 * 3600, ge=1, le=TEN_YEARS_S)
    # Longer scenes are split.
    longest_scene_s: float = Field(default=120, ge=4, le=DAY_S)
    # Between 4K (8.8 million) and 8K (33 million).
    max_pixels: int = Field(default=16 * 1024**2, ge=1, le=2**31)
    max_fps: int = Field(default=240, ge=1, le=100_000)
    max_streams: int = Field(default=32, ge=2, le=100_000)
    decoder_memory_bytes: int = Field(default=2 * 1024**3, ge=512 * 1024**2, le=MAX_BYTES)
    decoder_s: int = Field(default=30, ge=1, le=DAY_S)
    decoder_ratio: float = Field(default=10, gt=0, le=10_000)
    stage_s: int = Field(default=900, ge=1, le=TEN_YEARS_S)
    stage_ratio: float = Field(default=20, ge=0, le=10_000)
    retry_after_s: int = Field(default=10, ge=1, le=DAY_S)
    cutover_max_failed: int = Field(default=0, ge=0, le=10**9)
    cutover_min_overlap: float = Field(default=0.0, ge=0.0, le=1.0)
    # Of nDCG@10, which lies between 0 and 1.
    cutover_max_loss: float = Field(default=0.02, ge=0.0, le=1.0)
    keep_retired_days: int = Field(default=7, ge=0, le=MAX_DAYS)
    pack_min_vectors: int = Field(default=10_000, ge=1, le=10**12)
    lease_s: int = Field(default=30, ge=2, le=DAY_S)
    hung_after_s: int = Field(default=60, ge=1, le=TEN_YEARS_S)
    max_attempts: int = Field(default=3, ge=1, le=1000)
    task_timeout_s: int = Field(default=4 * 3600, ge=60, le=TEN_YEARS_S)
    search_s: float = Field(default=10, gt=0, le=DAY_S)
    # Other rates than the default ones, by action: {"search": "600/minute"}.
    rate_limits: Annotated[dict[str, str], NoDecode] = {}

    # Price per million tokens, by model name: {"text-embedding-3-small": 0.02}.
    prices: Annotated[dict[str, Annotated[Decimal, Field(ge=0, le=10**6)]], NoDecode] = {}
    # The limits of the column that stores it.
    max_run_cost: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)] | None = None

    openai_api_key: str = ""
    openai_base_url: str = ""
    # A checkpoint file or a tag that open_clip can fetch.
    open_clip_weights: str = "openai"
    # How cuts between scenes are detected.
    cuts: Literal["rule", "transnetv2"] = "rule"
    # Whether on-screen text is read.
    ocr: bool = True
    # Whether faces are detected.
    faces: bool = True
    # Overrides single models of the profile: {"text": {"backend": "openai", "model": "bge-m3", "dimensions": 1024}}.
    models: Annotated[dict[Literal["text", "image", "speech", "description", "ocr", "faces"], ModelOverride], NoDecode] = {}

    @field_validator("models", "prices", "rate_limits", mode="before")
    @classmethod
    def _parse_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else {}
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON, {error}") from error

    @field_validator("secret_key_fallbacks", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # A list in JSON can hold keys with commas.
        if value.strip().startswith("["):
            return cls._parse_json(value)
        return tuple(key.strip() for key in value.split(",") if key.strip())

    @field_validator("max_owner_bytes", "max_owner_minutes", mode="before")
    @classmethod
    def _parse_no_limit(cls, value: object) -> object:
        # Compose passes an empty value for a variable that is not set.
        return value if value != "" else None

    @field_validator("time_zone")
    @classmethod
    def _validate_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone; write one such as UTC or Europe/Berlin") from error
        return value

    @field_validator("s3_bucket")
    @classmethod
    def _require_bucket(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("storage") == "s3" and not value:
            raise ValueError("required with HEIMDEX_STORAGE=s3; set it to the name of the bucket")
        return value

    @field_validator("s3_secret_key")
    @classmethod
    def _require_both_keys(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("storage") == "s3" and bool(value) != bool(info.data.get("s3_access_key")):
            raise ValueError("set both HEIMDEX_S3_ACCESS_KEY and HEIMDEX_S3_SECRET_KEY, or neither")
        return value

    @field_validator("redis_url")
    @classmethod
    def _validate_redis_url(cls, value: str) -> str:
        if value and (problem := find_url_problem(value)):
            raise ValueError(f"must look like redis://:password@host:6379/0; {problem}")
        return value

    @field_validator("email_url")
    @classmethod
    def _validate_email_url(cls, value: str, info: ValidationInfo) -> str:
        if value:
            MailServer.parse(value)
            if not info.data.get("public_url"):
                raise ValueError("set HEIMDEX_PUBLIC_URL too: the links in e-mails need this site's URL")
        return value

    @field_validator("email_from")
    @classmethod
    def _require_email_from(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("email_url") and not _SENDER.fullmatch(value):
            raise ValueError("required with HEIMDEX_EMAIL_URL; set it to the sender, such as Heimdex <films@example.org>")
        return value

    @field_validator("rate_limits")
    @classmethod
    def _validate_rates(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := value.keys() - ACTIONS.keys():
            raise ValueError(f"{sorted(unknown)[0]!r} is not limited; choose from {', '.join(ACTIONS)}")
        for rate in value.values():
            Rate.parse(rate)
        return value

    @field_validator("home")
    @classmethod
    def _resolve_home(cls, value: Path) -> Path:
        try:
            return value.expanduser().resolve()
        except RuntimeError as error:
            raise ValueError("no such user, so no home directory") from error

    @classmethod
    def load(cls) -> Self:
        """Read the environment, or exit with one line per invalid variable."""
        try:
            return cls()
        except ValidationError as error:
            lines = [_describe_problem(problem) for problem in error.errors()]
            sys.exit("Heimdex cannot start. Correct these environment variables:\n  " + "\n  ".join(lines))

    def list_secrets(self) -> list[str]:
        """Return the secrets of this environment, with the passwords in its URLs."""
        urls = (self.database_url, self.redis_url, self.email_url)
        keys = (*self.secret_key_fallbacks, self.s3_access_key, self.s3_secret_key, self.openai_api_key, self.opensearch_password)
        return [self.secret_key, *keys, *(unquote(urlsplit(url).password or "") for url in urls)]

    @property
    def secret_key_path(self) -> Path:
        """The file of the secret keys, where HEIMDEX_SECRET_KEY is not set."""
        return self.home / "secret_key"

    def resolve_secret_keys(self) -> SecretKeys:
        """Return the configured keys, or those stored under the home directory (created on first use)."""
        if self.secret_key:
            return SecretKeys(self.secret_key).accept_too(self.secret_key_fallbacks)
        path = self.secret_key_path
        try:
            if not path.exists():
                create_secret_key(path)
            return read_secret_keys(path).accept_too(self.secret_key_fallbacks)
        except OSError as error:
            sys.exit(
                f"Heimdex cannot store its secret key at {path} ({error.strerror}). Set HEIMDEX_HOME to a directory that you can write to."
            )


def find_unknown_variables(names: Iterable[str]) -> list[str]:
    """Return a sentence for each name that begins like a setting and is none, with the most similar setting. Pure."""
    fields = [field.upper() for field in Environment.model_fields]
    sentences = []
    for name in sorted(names):
        field = name.upper().removeprefix(PREFIX)
        if field == name.upper() or field in fields or name in (SUPERVISED_HOME, QUALITY_SETS, *OF_TESTS):
            continue
        similar = difflib.get_close_matches(field, fields, n=1, cutoff=0.8)
        sentences.append(f"{name} is not a setting, so it has no effect." + (f" Did you mean {PREFIX}{similar[0]}?" if similar else ""))
    return sentences


def _describe_problem(problem: "ErrorDetails") -> str:
    field, *keys = (str(part) for part in problem["loc"] if part != "[key]")
    name = f"{PREFIX}{field}".upper() + (f', key "{".".join(keys)}"' if keys else "")
    if problem["type"] == "bool_parsing":
        reason = "write on or off (yes and no, true and false, 1 and 0 are accepted too)"
    else:
        reason = problem["msg"].removeprefix("Value error, ")
    is_printable = field not in _UNPRINTABLE or problem["loc"][-1] == "[key]"
    return f"{name}: {reason}" + (f" (it is {problem['input']!r})" if is_printable else "")
