"""Whatever fails, no log and no page of an installation contains a secret of it or of a request."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from heimdex.database.connection_info import read_embedded_connection
from tests.heimdex.accounts.second_factors import compute_code
from tests.heimdex.storage.seaweed import find_free_ports, run_seaweed
from tests.heimdex.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
PASSWORD, WRONG_PASSWORD = "Typed-c4n4ry-right", "Typed-c4n4ry-wrong"
RECOVERY_CODE_GUESS = "98765432"
SECRET_KEY, API_KEY = "Key-c4n4ry-of-the-installation", "sk-c4n4ry-of-the-model-server"

pytestmark = pytest.mark.integration


class Site:
    """A running installation, and a browser that collects the secrets it gets and the pages it sees."""

    def __init__(self, home: Path, log_format: str, **variables: str) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{find_free_ports(1)[0]}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")}
        self._environment = {
            **inherited,
            "HEIMDEX_HOME": str(home),
            "HEIMDEX_WEB_PORT": self.url.rpartition(":")[2],
            "HEIMDEX_LOG_FORMAT": log_format,
            "HEIMDEX_SECRET_KEY": SECRET_KEY,
            # Every model is at a server that does not exist.
            "HEIMDEX_PROFILE": "openai",
            "HEIMDEX_OPENAI_API_KEY": API_KEY,
            "HEIMDEX_OPENAI_BASE_URL": "http://user:c4n4ry-in-the-url@127.0.0.1:9/v1",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            **variables,
        }
        self.secrets = {PASSWORD, WRONG_PASSWORD, SECRET_KEY, API_KEY, "c4n4ry-in-the-url"}
        self.pages: list[str] = []
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies))

    def manage(self, *arguments: str) -> str:
        """Run a command of the installation, and return its output."""
        command = [sys.executable, "manage.py", *arguments]
        result = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=300, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def request(self, method: str, path: str, body: dict[str, object] | None = None, token: str = "", *, form: bool = False) -> str:
        """Send a request and return the body of the answer, whatever its status. Remember its cookies as secrets."""
        kind, data = ("application/x-www-form-urlencoded", urlencode(body or {})) if form else ("application/json", json.dumps(body))
        headers = {"Content-Type": kind, "Referer": self.url} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = data.encode() if body is not None else None
        request = urllib.request.Request(path if "://" in path else self.url + path, content, headers, method=method)
        try:
            with self._opener.open(request, timeout=60) as answer:
                page = answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            page = error.read().decode(errors="replace")
        self.secrets |= {cookie.value for cookie in self._cookies if cookie.value}
        return page

    def log_in_by_page(self, password: str) -> str:
        """Log in as a browser does."""
        return self.submit("/accounts/login/", {"username": "ann@example.com", "password": password})

    def submit(self, path: str, fields: dict[str, object]) -> str:
        """Fetch a page and send its form."""
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.request("GET", path))
        return self.request("POST", path, {**fields, "csrfmiddlewaretoken": csrf[1] if csrf else ""}, form=True)

    def turn_two_factor_on(self, access: str) -> str:
        """Turn an authenticator app on, remember its secrets, and return its secret."""
        setup = json.loads(self.request("POST", "/v1/auth/two-factor/totp", {"password": PASSWORD}, access))
        body = {"setup": setup["setup"], "code": compute_code(setup["secret"], -1)}
        codes = json.loads(self.request("POST", "/v1/auth/two-factor/totp/confirm", body, access))["recovery_codes"]
        self.secrets |= {setup["secret"], setup["setup"], *codes, RECOVERY_CODE_GUESS}
        return str(setup["secret"])


@pytest.fixture(params=["console", "json"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, request.param)
    site.manage("up")
    yield site
    site.manage("down")


def test_no_log_and_no_page_contains_a_secret(site: Site) -> None:
    database = read_embedded_connection(site.home)
    assert database is not None
    site.secrets.add(database.password)
    account = {"email": "ann@example.com", "password": PASSWORD}
    site.request("POST", "/v1/auth/register", account)
    pages = [site.log_in_by_page(WRONG_PASSWORD), site.log_in_by_page(PASSWORD)]
    tokens = json.loads(site.request("POST", "/v1/auth/token", account))
    site.secrets |= {tokens["access"], tokens["refresh"]}
    upload = {"filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": 5, "title": "A"}
    target = json.loads(site.request("POST", "/v1/videos/upload/init", upload, tokens["access"]))
    upload_url = next(value for value in _iter_texts(target) if "/v1/files/" in value)
    site.secrets.add(upload_url.rpartition("/")[2])
    pages.append(site.request("PUT", upload_url if "://" in upload_url else site.url + upload_url, {}))
    # The model server does not exist.
    pages.append(site.request("GET", "/v1/search?q=boat", token=tokens["access"]))
    secret = site.turn_two_factor_on(tokens["access"])
    pages.append(site.log_in_by_page(PASSWORD))
    pages.append(site.submit("/accounts/second-step/", {"code": RECOVERY_CODE_GUESS}))
    assert "This code is not valid" in pages[-1]
    code = compute_code(secret)
    pages.append(site.request("POST", "/v1/auth/token", {**account, "code": code}))
    assert "access" in pages[-1]
    site.secrets |= {*json.loads(pages.pop()).values()}

    _kill_postgres_during(site, lambda: pages.append(site.log_in_by_page(PASSWORD)))
    _kill_postgres_during(site, lambda: pages.append(site.request("POST", "/v1/auth/token", {**account, "code": RECOVERY_CODE_GUESS})))
    with suppress(urllib.error.URLError):
        pages.append(site.request("GET", "/v1/videos", token=tokens["access"]))
    _kill_postgres_during(site, lambda: pages.append(site.request("POST", "/v1/auth/token", account)))

    logs = {path.name: path.read_text(errors="replace") for path in (site.home / "logs").iterdir()}
    # The faults did happen, and the log says where.
    assert "OperationalError" in logs["web.log"]
    assert upload_url.rpartition("/")[0].rpartition("//")[2].partition("/")[2] in logs["web.log"]
    leaks = {name: secret for name, log in logs.items() for secret in site.secrets if secret in log}
    assert leaks == {}
    # Six digits occur within other numbers.
    assert not any(re.search(rf"(?<![\w.]){code}(?!\w)", log) for log in logs.values())
    installation = {PASSWORD, WRONG_PASSWORD, SECRET_KEY, API_KEY, "c4n4ry-in-the-url", database.password}
    assert [secret for page in pages for secret in installation if secret in page] == []
    assert not any("Traceback" in page for page in pages)


def test_no_log_and_no_page_contains_a_secret_when_every_other_service_is_gone(tmp_path: Path) -> None:
    queue = Valkey(tmp_path / "valkey", password="c4n4ry-of-the-queue")
    with run_seaweed(tmp_path / "weed") as s3:
        queue.start()
        site = Site(
            tmp_path,
            "json",
            HEIMDEX_REDIS_URL=queue.url,
            HEIMDEX_STORAGE="s3",
            HEIMDEX_S3_BUCKET=s3["bucket"],
            HEIMDEX_S3_ENDPOINT_URL=s3["endpoint_url"],
            HEIMDEX_S3_ACCESS_KEY=s3["access_key"],
            HEIMDEX_S3_SECRET_KEY=s3["secret_key"],
            HEIMDEX_EMAIL_URL="smtp://heimdex:c4n4ry-of-the-mail@127.0.0.1:9",
            HEIMDEX_EMAIL_FROM="heimdex@example.org",
            HEIMDEX_PUBLIC_URL="http://localhost",
            HEIMDEX_LEXICAL="opensearch",
            HEIMDEX_OPENSEARCH_URL="http://127.0.0.1:9",
            HEIMDEX_OPENSEARCH_USER="heimdex",
            HEIMDEX_OPENSEARCH_PASSWORD="c4n4ry-of-the-search",
        )
        installation = {"c4n4ry-of-the-search", "c4n4ry-of-the-queue", "c4n4ry-of-the-mail", s3["secret_key"]}
        site.secrets |= installation
        site.manage("up")
        site.manage("createsuperuser", "--noinput", "--email", "ann@example.com")
        tokens = json.loads(site.request("POST", "/v1/auth/token", {"email": "ann@example.com", "password": PASSWORD}))
        site.secrets |= {tokens["access"], tokens["refresh"]}
        upload = {"filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": 5, "title": "A"}
        target = json.loads(site.request("POST", "/v1/videos/upload/init", upload, tokens["access"]))
        url = next(text for text in _iter_texts(target) if "X-Amz-Signature" in text)
        site.secrets.add(re.search(r"X-Amz-Signature=(\w+)", url)[1])  # type: ignore[index]
    queue.stop()
    try:
        video = target["video_id"]
        pages = [
            site.request("POST", "/v1/auth/register", {"email": "bob@example.com", "password": PASSWORD}),
            site.request("POST", "/v1/videos/upload/complete", {"video_id": video}, tokens["access"]),
            site.request("DELETE", f"/v1/videos/{video}", token=tokens["access"]),
            site.request("POST", "/v1/admin/reprocess-embeddings", {"scope": "all"}, tokens["access"]),
            site.request("GET", "/v1/search?q=boat", token=tokens["access"]),
            site.request("GET", "/healthz"),
            site.log_in_by_page(PASSWORD),
            site.request("GET", "/"),
        ]
    finally:
        site.manage("down")
    logs = {path.name: path.read_text(errors="replace") for path in (site.home / "logs").iterdir()}
    # The faults did happen, and the log says where.
    assert "HEIMDEX_EMAIL_URL" in logs["web.log"]
    assert "S3" in logs["web.log"]
    assert "HEIMDEX_REDIS_URL" in logs["uploads.log"]
    assert {name: secret for name, log in logs.items() for secret in site.secrets if secret in log} == {}
    assert [secret for page in pages for secret in {*installation, *site.secrets} - {tokens["access"]} if secret in page] == []
    assert not any("Traceback" in page for page in pages)


def _iter_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _iter_texts(item)


def _kill_postgres_during(site: Site, action: Callable[[], object]) -> None:
    """Kill the database server while several requests run, and wait until the supervisor has restarted it."""
    pid = int((site.home / "postgres" / "postmaster.pid").read_text().split()[0])
    with ThreadPoolExecutor(4) as pool:
        requests = [pool.submit(action) for _ in range(6)]
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        requests += [pool.submit(action) for _ in range(2)]
        for request in requests:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                request.result()
    deadline = time.monotonic() + 120
    while '"ok"' not in site.request("GET", "/healthz"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
