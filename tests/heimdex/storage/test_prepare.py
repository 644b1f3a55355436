"""`manage.py prepare_bucket`, on a service that has no bucket yet."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from heimdex.storage.options import S3Options
from heimdex.storage.s3 import S3Storage

ROOT = Path(__file__).resolve().parents[3]
SITE = "https://videos.example.org"


def prepare(options: S3Options, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")} | {
        "HEIMDEX_HOME": str(options.scratch),
        "HEIMDEX_STORAGE": "s3",
        "HEIMDEX_PUBLIC_URL": f"{SITE}/",
        "HEIMDEX_S3_BUCKET": options.bucket,
        "HEIMDEX_S3_ENDPOINT_URL": options.endpoint_url,
        "HEIMDEX_S3_ACCESS_KEY": options.access_key,
        "HEIMDEX_S3_SECRET_KEY": options.secret_key,
    }
    return subprocess.run(
        [sys.executable, "manage.py", "prepare_bucket"], cwd=ROOT, env=environment | variables, capture_output=True, text=True
    )


def test_a_new_bucket_takes_files_from_the_pages_of_the_site_alone(s3_options: S3Options) -> None:
    options = replace(s3_options, bucket="prepared")
    for _ in range(2):
        done = prepare(options)
        assert (done.returncode, done.stdout) == (0, f"The bucket prepared is ready for {SITE}.\n"), done.stderr
    storage = S3Storage(options)
    assert storage.check() == []
    target = storage.upload_target("a/b", size=1, content_type="video/mp4", expires_in_s=60)
    asked = {"Origin": SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    with urlopen(Request(target.url, headers=asked, method="OPTIONS")) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert storage._client.get_bucket_cors(Bucket="prepared")["CORSRules"][0]["AllowedOrigins"] == [SITE]


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("HEIMDEX_S3_SECRET_KEY", "wrong", "HEIMDEX_S3_SECRET_KEY"),
        ("HEIMDEX_PUBLIC_URL", "", "Set HEIMDEX_PUBLIC_URL"),
        ("HEIMDEX_STORAGE", "local", "set HEIMDEX_STORAGE=s3"),
    ],
)
def test_what_is_missing_is_said(s3_options: S3Options, variable: str, value: str, sentence: str) -> None:
    refused = prepare(s3_options, **{variable: value})
    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
