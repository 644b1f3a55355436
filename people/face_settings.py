"""Whether face recognition is on: for the server, and for one owner."""

from django.conf import settings

from heimdex.accounts.models import User

FACES_OFF_ON_SERVER = "Face recognition is off on this server. Only its administrator can turn it on."
FACES_OFF_FOR_OWNER = "Face recognition is off for your account. You can turn it on."


def can_find_faces() -> bool:
    """Return whether this server has a face model, so that owners can choose."""
    return "faces" in settings.MODEL_BACKENDS


def get_faces_disabled_reason(owner: User) -> str:
    """Return why face recognition is off for the owner and who can turn it on, or an empty string when it is on."""
    if not can_find_faces():
        return FACES_OFF_ON_SERVER
    return "" if owner.find_faces else FACES_OFF_FOR_OWNER


def build_face_settings_context(owner: User) -> dict[str, str | bool]:
    """Build the template context: `no_faces` (why face recognition is off) and `owners_choose` (whether the owner can change that)."""
    return {"no_faces": get_faces_disabled_reason(owner), "owners_choose": can_find_faces()}
