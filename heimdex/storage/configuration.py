"""The entry `STORAGES["media"]`, read from the environment."""

from typing import Any

from heimdex.environment import Environment

LOCAL = "heimdex.storage.local.LocalMediaStorage"
S3 = "heimdex.storage.s3.S3MediaStorage"


def media_storage_settings(environment: Environment) -> dict[str, Any]:
    """Return the class and the options of the storage that HEIMDEX_STORAGE selects."""
    if environment.storage == "s3":
        options = {
            "bucket": environment.s3_bucket,
            "endpoint_url": environment.s3_endpoint_url,
            "public_endpoint_url": environment.s3_public_endpoint_url,
            "region": environment.s3_region,
            "access_key": environment.s3_access_key,
            "secret_key": environment.s3_secret_key,
            "scratch": environment.home / "scratch",
        }
        return {"BACKEND": S3, "OPTIONS": options}
    return {"BACKEND": LOCAL, "OPTIONS": {"root": environment.home / "media", "public_url": environment.public_url}}
