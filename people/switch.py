"""Whether faces are looked for at all: an installation or an owner may want none."""

from django.conf import settings

from heimdex.accounts.models import User

FACES_OFF_HERE = "Faces are not looked for: the administrator of this server has switched them off, and alone can switch them on."
FACES_OFF_FOR_YOU = "Faces are not looked for in your videos: they are switched off for your account. You can switch them on."


def faces_can_be_found() -> bool:
    """Tell whether this server looks for faces, so that owners can choose."""
    return "faces" in settings.MODEL_BACKENDS


def why_no_faces(owner: User) -> str:
    """Return a sentence that says why no faces are looked for, for the owner, and who can change that; nothing when they are."""
    if not faces_can_be_found():
        return FACES_OFF_HERE
    return "" if owner.find_faces else FACES_OFF_FOR_YOU


def switch_context(owner: User) -> dict[str, str | bool]:
    """Return what pages need to say of it: `no_faces` (why none are looked for) and `owners_choose` (whether the owner can change that)."""
    return {"no_faces": why_no_faces(owner), "owners_choose": faces_can_be_found()}
