"""Write the digests of the images that Dockerfile and compose.yml name by tag: `python3 scripts/pin_images.py`.

A tag can be moved to another image, a digest cannot. Docker asks the registry, so that mirrors and logins of the host apply.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("Dockerfile", "compose.yml")
# Name and tag, and the digest of an earlier call. The image that compose.yml builds itself is in no registry.
IMAGE = re.compile(
    r"^(?P<before>FROM |\s+image: )(?P<image>(?!heimdex:)[\w./-]+:[\w.-]+)(?P<digest>@sha256:[0-9a-f]{64})?(?P<after>.*)$", re.MULTILINE
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class PinError(Exception):
    """A digest cannot be had; the message says why and what to do."""


def main() -> int:
    """Pin all images. Return 1, and leave the files as they are, when a digest cannot be had."""
    try:
        pinned = {name: pin((ROOT / name).read_text()) for name in FILES}
    except PinError as error:
        sys.stderr.write(f"{error}\nNothing was changed.\n")
        return 1
    for name, text in pinned.items():
        (ROOT / name).write_text(text)
        sys.stdout.writelines(f"{name}: {match['image']}{match['digest']}\n" for match in IMAGE.finditer(text))
    return 0


def pin(text: str) -> str:
    """Return the text with the current digest after each tag."""
    return IMAGE.sub(lambda match: f"{match['before']}{match['image']}@{find_digest(match['image'])}{match['after']}", text)


def find_digest(image: str) -> str:
    """Return the digest of an image for all platforms. Raise PinError when Docker or the registry does not answer with one."""
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", image]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError as error:
        raise PinError(
            "Docker is not installed, so that no registry can be asked. Install Docker with buildx, or add the digests by hand."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PinError(f"The registry of {image} has not answered within a minute. Try again with a network that reaches it.") from error
    digest = result.stdout.strip()
    if result.returncode or not DIGEST.fullmatch(digest):
        # Without the plugin, Docker takes the arguments for its own and complains of one of them.
        if subprocess.run(["docker", "buildx", "version"], capture_output=True, timeout=60, check=False).returncode:
            raise PinError(
                "Docker has no buildx, which asks the registry. Install its package, such as docker-buildx-plugin or docker-buildx, "
                "or add the digests by hand."
            )
        reason = (result.stderr or result.stdout).strip() or "no output"
        raise PinError(f"The registry gave no digest of {image}: {reason}. Check the tag and the network.")
    return digest


if __name__ == "__main__":
    raise SystemExit(main())
