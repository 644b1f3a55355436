"""Whether faces are looked for at all: an installation or an owner may want none."""

from django.conf import settings

from heimdex.accounts.models import User

FACES_OFF_HERE = "Faces are not looked for on this server. Your administrator can switch that on."
FACES_OFF_FOR_YOU = "Faces are not looked for in your videos, because your account says so. Your administrator can switch that on."


def why_no_faces(owner: User) -> str:
    """Return a sentence that says why no faces are looked for, for the owner; nothing when they are."""
    if "faces" not in settings.MODEL_BACKENDS:
        return FACES_OFF_HERE
    return "" if owner.find_faces else FACES_OFF_FOR_YOU
