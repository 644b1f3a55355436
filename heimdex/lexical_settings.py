"""The settings of the search for words: variables of the environment, and the backends that follow from them."""

from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

if TYPE_CHECKING:
    from heimdex.environment import Environment

SECRET_LEXICAL_VARIABLES = frozenset({"opensearch_url", "opensearch_password"})
_EXAMPLE = "https://search.example.org:9200"
_POSTGRES: dict[str, Any] = {"BACKEND": "videos.search.lexical.postgres.PostgresLexical", "OPTIONS": {}}
_OPENSEARCH = "videos.search.lexical.opensearch.backend.OpenSearchLexical"


class LexicalVariables(BaseSettings):
    """The variables of `heimdex.environment.Environment` that say where words are searched."""

    lexical: Literal["postgres", "opensearch"] = "postgres"
    opensearch_url: str = Field(default="", validate_default=True)
    opensearch_user: str = ""
    opensearch_password: str = Field(default="", validate_default=True)
    # A file with the certificate authority of the server; empty for the public ones.
    opensearch_ca: str = ""
    # Sign requests for Amazon's service in this region, with the credentials that boto3 finds.
    opensearch_aws_region: str = ""
    opensearch_aws_service: str = Field(default="es", pattern=r"^[a-z]+$")
    # The names of the indexes begin with it; installations that share a server need different ones.
    opensearch_index: str = Field(default="heimdex", pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")

    @field_validator("opensearch_url")
    @classmethod
    def _validate_opensearch_url(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("lexical") == "opensearch":
            raise ValueError(f"required with HEIMDEX_LEXICAL=opensearch; set it to the server, such as {_EXAMPLE}")
        if value and (problem := find_server_url_problem(value)):
            raise ValueError(f"must look like {_EXAMPLE}; {problem}")
        return value

    @field_validator("opensearch_password")
    @classmethod
    def _require_user_and_password(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("opensearch_user")):
            raise ValueError("set both HEIMDEX_OPENSEARCH_USER and HEIMDEX_OPENSEARCH_PASSWORD, or neither")
        return value

    @field_validator("opensearch_aws_region")
    @classmethod
    def _refuse_two_logins(cls, value: str, info: ValidationInfo) -> str:
        if value and info.data.get("opensearch_user"):
            raise ValueError("requests are either signed or have a password; leave HEIMDEX_OPENSEARCH_USER empty")
        return value


def find_server_url_problem(url: str) -> str:
    """Return why a text is no URL of a server over HTTP without a password, or an empty text. Pure."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "the port is not a number up to 65535"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "it needs http:// or https://, and a host"
    if "@" in parts.netloc:
        return "write the user to HEIMDEX_OPENSEARCH_USER and the password to HEIMDEX_OPENSEARCH_PASSWORD"
    return "it has a query or a fragment" if parts.query or parts.fragment else ""


def build_lexical_settings(environment: "Environment") -> dict[str, dict[str, Any]]:
    """Build LEXICAL_BACKENDS. With OpenSearch, PostgreSQL stays beside it, so that `manage.py evaluate` can compare them."""
    if environment.lexical == "postgres":
        return {"default": _POSTGRES}
    options = {
        "url": environment.opensearch_url,
        "user": environment.opensearch_user,
        "password": environment.opensearch_password,
        "ca": environment.opensearch_ca,
        "aws_region": environment.opensearch_aws_region,
        "aws_service": environment.opensearch_aws_service,
        "index": environment.opensearch_index,
    }
    return {"default": {"BACKEND": _OPENSEARCH, "OPTIONS": options}, "postgres": _POSTGRES}
