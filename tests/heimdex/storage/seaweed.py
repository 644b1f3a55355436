"""A real S3 service for tests: one SeaweedFS process on free ports of this machine."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from heimdex.storage.s3 import S3MediaStorage

# The keyword arguments of S3MediaStorage.
S3Options = dict[str, Any]

BUCKET, ACCESS_KEY, SECRET_KEY = "media", "heimdex-access", "heimdex-secret"
READY_TIMEOUT_S = 60


def find_free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


@contextmanager
def run_seaweed(home: Path) -> Iterator[S3Options]:
    """Run SeaweedFS under `home` with one empty bucket, and yield the options to connect to it."""
    (home / "data").mkdir(parents=True)
    write_key_pairs(home, {ACCESS_KEY: SECRET_KEY})
    names = ["master", "volume", "filer", "s3"]
    ports = dict(zip([f"{name}.port{kind}" for name in names for kind in ("", ".grpc")], find_free_ports(2 * len(names)), strict=True))
    weed = Path(sys.executable).with_name("weed")
    command = [str(weed), "server", f"-dir={home / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64"]
    command += ["-s3", f"-s3.config={home / 's3.json'}", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=20"]
    command += [f"-{name}={port}" for name, port in ports.items()]
    with (home / "weed.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        options: S3Options = {
            "bucket": BUCKET,
            "endpoint_url": f"http://127.0.0.1:{ports['s3.port']}",
            "region": "us-east-1",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "scratch": home / "scratch",
        }
        try:
            _make_bucket(options, process, home / "weed.log")
            yield options
        finally:
            # A clean shutdown takes 25 s, and nothing here is worth keeping.
            process.kill()
    shutil.rmtree(home)


def write_key_pairs(home: Path, pairs: dict[str, str]) -> None:
    """Write the keys that the server under `home` accepts."""
    credentials = [{"accessKey": access, "secretKey": secret} for access, secret in pairs.items()]
    identity = {"name": "heimdex", "credentials": credentials, "actions": ["Admin"]}
    (home / "s3.json").write_text(json.dumps({"identities": [identity]}))


def change_key_pairs(home: Path, pairs: dict[str, str]) -> None:
    """Let the running server under `home` accept these keys alone, from a moment later on."""
    write_key_pairs(home, pairs)
    (process,) = [child for child in psutil.Process().children() if str(home / "s3.json") in " ".join(child.cmdline())]
    process.send_signal(signal.SIGHUP)


def _make_bucket(options: S3Options, process: "subprocess.Popen[bytes]", log: Path) -> None:
    client = S3MediaStorage(**options)._client
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            if not client.list_buckets()["Buckets"]:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
            client.delete_object(Bucket=BUCKET, Key="ready")
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SeaweedFS did not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.1)
        else:
            return
