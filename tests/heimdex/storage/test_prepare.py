"""`manage.py prepare_bucket` on a service without a bucket."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from heimdex.storage.s3 import S3MediaStorage
from tests.heimdex.storage.seaweed import S3Options

ROOT = Path(__file__).resolve().parents[3]
SITE = "https://videos.example.org"


def prepare(options: S3Options, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")} | {
        "HEIMDEX_HOME": str(options["scratch"]),
        "HEIMDEX_STORAGE": "s3",
        "HEIMDEX_PUBLIC_URL": f"{SITE}/",
        "HEIMDEX_S3_BUCKET": options["bucket"],
        "HEIMDEX_S3_ENDPOINT_URL": options["endpoint_url"],
        "HEIMDEX_S3_ACCESS_KEY": options["access_key"],
        "HEIMDEX_S3_SECRET_KEY": options["secret_key"],
    }
    return subprocess.run(
        [sys.executable, "manage.py", "prepare_bucket"], cwd=ROOT, env=environment | variables, capture_output=True, text=True
    )


def test_a_new_bucket_accepts_files_only_from_the_sites_pages(s3_options: S3Options) -> None:
    options = {**s3_options, "bucket": "prepared"}
    for _ in range(2):
        done = prepare(options)
        assert (done.returncode, done.stdout) == (0, f"The bucket prepared is ready for {SITE}.\n"), done.stderr
    storage = S3MediaStorage(**options)
    assert storage.check() == []
    target = storage.presign_upload("a/b", size=1, content_type="video/mp4", expires_in_s=60)
    headers = {"Origin": SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    with urlopen(Request(target.url, headers=headers, method="OPTIONS")) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert storage._client.get_bucket_cors(Bucket="prepared")["CORSRules"][0]["AllowedOrigins"] == [SITE]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HEIMDEX_S3_SECRET_KEY", "wrong", "HEIMDEX_S3_SECRET_KEY"),
        ("HEIMDEX_PUBLIC_URL", "", "Set HEIMDEX_PUBLIC_URL"),
        ("HEIMDEX_STORAGE", "local", "Set HEIMDEX_STORAGE=s3"),
    ],
)
def test_missing_configuration_is_reported(s3_options: S3Options, variable: str, value: str, message: str) -> None:
    failed = prepare(s3_options, **{variable: value})
    assert failed.returncode != 0
    assert message in failed.stderr
    assert "Traceback" not in failed.stderr
