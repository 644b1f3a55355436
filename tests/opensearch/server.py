"""A real OpenSearch for tests: one process on a free port between 9201 and 9299, from jars that Maven has resolved."""

import ctypes
import fcntl
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "opensearch"
POM = Path(__file__).with_name("pom.xml")
JVMS = Path("/usr/lib/jvm")
# A running server to use instead, and whether tests fail where no server can run.
GIVEN_URL = os.environ.get("HEIMDEX_TEST_OPENSEARCH_URL", "")
IS_REQUIRED = os.environ.get("HEIMDEX_REQUIRE_OPENSEARCH") == "1"
# Outside of these, the runner ends without a word.
PORTS = range(9201, 9300)
MAX_STARTS = 5
READY_TIMEOUT_S = 120
DOWNLOAD_TIMEOUT_S = 280
_PR_SET_PDEATHSIG = 1


class OpenSearchMissing(Exception):
    """This machine has no Java that fits, or no Maven, or Maven cannot resolve the jars."""


@dataclass(frozen=True)
class Release:
    """A version of OpenSearch, and the oldest Java that runs it."""

    version: str
    min_java: int


DEFAULT = "3.8"
RELEASES = {"3.8": Release("3.8.0", 21), "2.19": Release("2.19.1", 17)}


class OpenSearchServer:
    """Keeps its port and its data across a restart."""

    def __init__(self, release: Release, home: Path) -> None:
        self._release = release
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        home.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the server and wait until it responds. At the first start, choose another port when one is taken meanwhile."""
        ports = [self._port] * MAX_STARTS if self._port else random.sample(PORTS, MAX_STARTS)
        jars, java = prepare_jars(self._release), find_java(self._release.min_java)
        if not any(self._start(port, jars, java) for port in ports):
            raise RuntimeError(f"OpenSearch {self._release.version} did not start: {self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Kill the server if it runs: nothing here is worth a clean shutdown."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the port refuse connections during the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server accept connections but answer nothing during the block."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @property
    def _log(self) -> Path:
        return self._home / "opensearch.log"

    def _start(self, port: int, jars: Path, java: Path) -> bool:
        command = [str(java), "-Xms256m", "-Xmx512m", "-cp", f"{jars}/*", "org.codelibs.opensearch.runner.OpenSearchRunner"]
        command += ["-basePath", str(self._home / "node"), "-numOfNode", "1", "-baseHttpPort", str(port - 1)]
        command += ["-clusterName", f"heimdex-tests-{os.getpid()}-{port}", "-useLogger"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_die_with_parent)
        self._port = port
        deadline = time.monotonic() + READY_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ready():
                return True
            time.sleep(0.2)
        self.stop()
        return False

    def _is_ready(self) -> bool:
        with OpenSearch(self.url, timeout=5, max_retries=0) as client:
            try:
                # Another process may listen at this port.
                return bool(
                    client.info()["cluster_name"].endswith(f"-{os.getpid()}-{self._port}") and client.cluster.health()["status"] != "red"
                )
            except OpenSearchException:
                return False


def prepare_jars(release: Release) -> Path:
    """Return the folder of a release's jars, which Maven fills once. Raise OpenSearchMissing when it cannot."""
    folder = CACHE / release.version
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _resolve(release, folder)
    return folder


def find_java(min_version: int) -> Path:
    """Return the first Java of at least this version: of JAVA_HOME, on the PATH, or below the system's folder. Raise OpenSearchMissing."""
    homes = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    on_path = [Path(path) for path in (shutil.which("java"),) if path]
    for java in (*homes, *on_path, *sorted(JVMS.glob("*/bin/java"))):
        if java.exists() and _read_java_version(java) >= min_version:
            return java
    raise OpenSearchMissing(f"there is no Java {min_version} or newer in JAVA_HOME, on the PATH or below {JVMS}")


def _resolve(release: Release, folder: Path) -> None:
    if not (maven := shutil.which("mvn")):
        raise OpenSearchMissing("Maven (mvn), which resolves OpenSearch, is not installed")
    scratch = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(POM), f"-Drunner.version={release.version}.0", f"-DoutputDirectory={scratch}"]
    try:
        subprocess.run([*command, "dependency:copy-dependencies"], check=True, capture_output=True, timeout=DOWNLOAD_TIMEOUT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        output = (error.stdout or b"").decode(errors="replace")
        raise OpenSearchMissing(f"Maven could not resolve OpenSearch {release.version}: {output[:500]}") from error
    scratch.rename(folder)


def _read_java_version(java: Path) -> int:
    answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    return int(version.group(1)) if version else 0


def _die_with_parent() -> None:
    """End this process with the tests, even when they are killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class OpenSearchServers:
    """The servers of a run of tests, one per release, each started when the first test needs it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._servers: dict[str, OpenSearchServer] = {}

    def get(self, name: str) -> OpenSearchServer:
        """Return the running server of a release. Skip the test where it cannot run, or fail it where a server is required."""
        if name not in self._servers:
            server = OpenSearchServer(RELEASES[name], self._home / name)
            try:
                server.start()
            except OpenSearchMissing as error:
                if IS_REQUIRED:
                    raise
                pytest.skip(f"OpenSearch {name} is not tested: {error}")
            self._servers[name] = server
        return self._servers[name]

    def get_url(self, name: str) -> str:
        """Return the URL of a release's server, or of the server that is given from outside and serves every test once."""
        if not GIVEN_URL:
            return self.get(name).url
        if name != DEFAULT:
            pytest.skip("The tests run once on the server of HEIMDEX_TEST_OPENSEARCH_URL.")
        return GIVEN_URL

    def stop(self) -> None:
        """Stop all servers."""
        for server in self._servers.values():
            server.stop()
