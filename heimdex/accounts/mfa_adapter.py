"""How django-allauth's second factors are stored here, and what they call this site."""

from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from heimdex.accounts import encryption
from heimdex.accounts.models import User

NAME = "Heimdex"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # has no types
    """Encrypt secrets, and name this site by the host of HEIMDEX_PUBLIC_URL, else by that of the request."""

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database."""
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret from the database. Raise Unreadable."""
        return encryption.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        """Return the name that an authenticator app shows beside the account."""
        return NAME

    def get_totp_label(self, user: User) -> str:
        """Return the account, as an authenticator app shows it."""
        return user.email

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the host that passkeys are for. Browsers offer them on no other."""
        return {"id": urlsplit(settings.ENVIRONMENT.public_url or f"//{context.request.get_host()}").hostname or "", "name": NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, object]:
        """Return the account that a passkey is for."""
        return {"id": user.pk.bytes, "display_name": user.get_full_name(), "name": user.email}
