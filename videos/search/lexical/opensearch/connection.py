"""Connect to OpenSearch, and say what keeps it from answering."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import ConnectionError as ConnectionFailed
from opensearchpy.exceptions import ConnectionTimeout, SSLError, TransportError

from videos.search.lexical.base import LexicalUnavailable

# A search waits this long for an answer (seconds); writing a batch may take longer.
SEARCH_TIMEOUT_S = 2.0
WRITE_TIMEOUT_S = 30.0
_READ_ONLY = "cluster_block_exception"
_INDEX_MISSING = "index_not_found_exception"
_MAX_CONNECTIONS = 16


class SearchServerAway(LexicalUnavailable):
    """OpenSearch cannot be used at the moment. The message, for operators, names the setting and the fix."""


class IndexMissing(SearchServerAway):
    """There is no index behind the alias."""


@dataclass(frozen=True)
class SearchConnection:
    """Where OpenSearch is, and how to log in."""

    url: str
    user: str = ""
    password: str = ""
    ca: str = ""
    aws_region: str = ""
    aws_service: str = "es"

    def __repr__(self) -> str:
        return f"SearchConnection({self.url!r})"

    def open(self) -> OpenSearch:
        """Return a client, without connecting. It never tries a request again by itself."""
        options: dict[str, Any] = {
            "timeout": SEARCH_TIMEOUT_S,
            "max_retries": 0,
            "retry_on_timeout": False,
            "pool_maxsize": _MAX_CONNECTIONS,
        }
        if self.ca:
            options["ca_certs"] = self.ca
        if self.aws_region:
            options["http_auth"] = Urllib3AWSV4SignerAuth(_find_aws_credentials(), self.aws_region, self.aws_service)
        elif self.user:
            options["http_auth"] = (self.user, self.password)
        return OpenSearch(self.url, **options)

    def check(self) -> list[str]:
        """Return a sentence for each wrong setting. Do not connect."""
        problems = []
        if self.ca and not Path(self.ca).is_file():
            problems.append(f"There is no file {self.ca}: set HEIMDEX_OPENSEARCH_CA to the certificate authority of the server.")
        if self.ca and not self.url.startswith("https:"):
            problems.append("HEIMDEX_OPENSEARCH_CA needs TLS: let HEIMDEX_OPENSEARCH_URL begin with https://, or leave the CA out.")
        if self.aws_region and _find_aws_credentials() is None:
            problems.append("boto3 finds no credentials to sign requests with: set them as for S3 (AWS_ACCESS_KEY_ID and …).")
        return problems

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise SearchServerAway for errors of the block that are the server's or the settings' fault, with the fix."""
        try:
            yield
        except TransportError as error:
            if (away := self._explain(error)) is None:
                raise
            raise away from error

    def _explain(self, error: TransportError) -> SearchServerAway | None:
        if isinstance(error, SSLError):
            reason = "its certificate is not trusted: set HEIMDEX_OPENSEARCH_CA to the file of its certificate authority"
        elif isinstance(error, ConnectionTimeout):
            reason = "it does not answer in time: check that it runs and is not overloaded"
        elif isinstance(error, ConnectionFailed):
            reason = "it cannot be reached: check that it runs, and HEIMDEX_OPENSEARCH_URL"
        else:
            return self._explain_status(int(error.status_code), str(error.error))
        return SearchServerAway(f"OpenSearch at {self.url} is away: {reason}.")

    def _explain_status(self, status: int, kind: str) -> SearchServerAway | None:
        if kind == _INDEX_MISSING:
            return IndexMissing("OpenSearch has no search index: run manage.py search_index rebuild.")
        if is_read_only(kind):
            return SearchServerAway(READ_ONLY)
        if status in (401, 403):
            login = "HEIMDEX_OPENSEARCH_AWS_REGION and the credentials" if self.aws_region else "HEIMDEX_OPENSEARCH_USER and …_PASSWORD"
            return SearchServerAway(f"OpenSearch at {self.url} refuses the login (status {status}): check {login}.")
        if status == 429 or status >= 500:
            return SearchServerAway(f"OpenSearch at {self.url} cannot answer now (status {status}): look at its log.")
        return None


READ_ONLY = (
    "OpenSearch lets nothing be written, as it does when its disk is full: free some space. It usually ends the block by itself; "
    "otherwise remove index.blocks.read_only_allow_delete from the settings of the index."
)


def is_block(status: int, kind: str) -> bool:
    """Return whether a document was refused because nothing can be written now, or not so much at a time. Pure."""
    return is_read_only(kind) or status in (429, 503)


def is_read_only(kind: str) -> bool:
    """Return whether an error is that of an index that is closed for writing. Pure."""
    return kind == _READ_ONLY


def is_missing(kind: str) -> bool:
    """Return whether a document was refused because the alias has no index. Pure."""
    return kind == _INDEX_MISSING


def _find_aws_credentials() -> Any:
    import boto3

    return boto3.Session().get_credentials()
