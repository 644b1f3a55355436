"""What each storage must be told, read from the environment."""

from dataclasses import dataclass, field
from pathlib import Path

from heimdex.environment import Environment


@dataclass(frozen=True)
class LocalOptions:
    """Files under `root`; `public_url` is put before signed addresses, which are paths of this host without it."""

    root: Path
    public_url: str = ""


@dataclass(frozen=True)
class S3Options:
    """A bucket. Signed addresses name `public_endpoint_url` where clients reach the service under another name than we do."""

    bucket: str
    endpoint_url: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    scratch: Path
    public_endpoint_url: str = ""


def storage_options(environment: Environment) -> LocalOptions | S3Options:
    """Return the options of the storage that HEIMDEX_STORAGE names."""
    if environment.storage == "s3":
        return S3Options(
            bucket=environment.s3_bucket,
            endpoint_url=environment.s3_endpoint_url,
            public_endpoint_url=environment.s3_public_endpoint_url,
            region=environment.s3_region,
            access_key=environment.s3_access_key,
            secret_key=environment.s3_secret_key,
            scratch=environment.home / "scratch",
        )
    return LocalOptions(root=environment.home / "media", public_url=environment.public_url)
