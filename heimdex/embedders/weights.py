"""Locate and hash a model's files without loading the model."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path


def find_packaged_folder(module: str, folder: str) -> Path | None:
    """Find a folder inside an installed package without importing the package."""
    spec = find_spec(module)
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / folder
        if path.is_dir():
            return path
    return None


def find_installed_version(distribution: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hex. Read the file once per process while it does not change."""
    stat = path.stat()
    return _hash_file(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _hash_file(path: Path, modified_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_folder(folder: Path) -> str:
    """Return one SHA-256 over the names and contents of a model's configuration, vocabulary and weights."""
    lines = [
        f"{path.relative_to(folder)} {hash_file(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in {".json", ".txt", ".model", ".safetensors", ".bin"}
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_hub(repository: str, files: Sequence[str], revision: str | None, setting: str) -> list[str]:
    """Return a problem with its fix if neither this machine's cache nor the model hub has one of the files. Download nothing.

    `setting` names what to change, for example "HEIMDEX_OPEN_CLIP_WEIGHTS".
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    if any(isinstance(try_to_load_from_cache(repository, file, revision=revision), str) for file in files):
        return []
    fix = f"give this machine access to the model hub once, or point {setting} at a copy of the files"
    for file in files:
        try:
            hf_hub_download(repository, file, revision=revision, dry_run=True)
        except LocalEntryNotFoundError:
            return [f"{repository} is not in this machine's cache, and the model hub cannot be reached or HF_HUB_OFFLINE is set: {fix}."]
        except EntryNotFoundError:
            continue
        except HfHubHTTPError as error:
            return [f"The model hub does not provide {repository} ({type(error).__name__}): check its name, or {fix}."]
        return []
    return [f"The model hub has no {' or '.join(files)} in {repository}: check its name, or {fix}."]
