"""Second factors of the tests: an account with an authenticator app, and a passkey made in software."""

import json
from hashlib import sha256
from secrets import token_bytes
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import confirm_totp, start_totp
from tests.heimdex.accounts.conftest import PASSWORD


def compute_code(secret: str, steps: int = 0) -> str:
    """Return the code that an app shows now, or some steps of 30 seconds later."""
    now = list(yield_hotp_counters_from_time())[1]
    return format_hotp_value(hotp_value(secret, now + steps))


def turn_on(user: User) -> tuple[str, list[str]]:
    """Give an account an authenticator app. Return its secret and the recovery codes; the code of now has not been used."""
    setup = start_totp(user)
    codes = confirm_totp(user, setup.token, compute_code(setup.secret))
    forget_used_codes(user)
    return setup.secret, codes


def forget_used_codes(user: User) -> None:
    """Let the codes of now be used again, as half a minute later."""
    app = Authenticator.objects.get(user=user, type="totp")
    app.data["last_step"] = 0
    app.save()


def log_in(client: Client, user: User, secret: str) -> None:
    """Log in with the password and the code of now."""
    client.post("/accounts/login/", {"username": user.email, "password": PASSWORD})
    forget_used_codes(user)
    assert client.post("/accounts/second-step/", {"code": compute_code(secret)}).status_code == 302
    forget_used_codes(user)


def is_logged_in(client: Client) -> bool:
    return client.get("/v1/auth/me").status_code == 200


def plant_passkey(user: User, name: str) -> Authenticator:
    """Give an account a passkey that nobody has."""
    credential = SoftwarePasskey().create('{"publicKey": {"challenge": "AAAA"}}')
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": json.loads(credential)})


class SoftwarePasskey:
    """A passkey, and the browser that answers with it. Attestation is of the format "none", as browsers send it by default."""

    def __init__(self, origin: str = "https://testserver", rp_id: str = "testserver") -> None:
        self._key = generate_private_key(SECP256R1())
        self._origin, self._rp_hash = origin, sha256(rp_id.encode()).digest()
        self.credential_id = token_bytes(32)

    def create(self, options: str) -> str:
        """Return the browser's answer to the options of a new passkey."""
        public_key = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]
        credential = AttestedCredentialData.create(b"\0" * 16, self.credential_id, public_key)
        attestation = AttestationObject.create("none", AuthenticatorData.create(self._rp_hash, 0x45, 0, credential), {})
        client_data = self._describe(CollectedClientData.TYPE.CREATE, options)
        return self._answer({"clientDataJSON": websafe_encode(client_data), "attestationObject": websafe_encode(attestation)})

    def sign(self, options: str) -> str:
        """Return the browser's answer to the options of a login."""
        data = AuthenticatorData.create(self._rp_hash, 0x05, 1)
        client_data = self._describe(CollectedClientData.TYPE.GET, options)
        signature = self._key.sign(data + client_data.hash, ECDSA(SHA256()))
        parts = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
        return self._answer({name: websafe_encode(part) for name, part in parts.items()})

    def _describe(self, kind: Any, options: str) -> CollectedClientData:
        return CollectedClientData.create(kind, websafe_decode(json.loads(options)["publicKey"]["challenge"]), self._origin)

    def _answer(self, response: dict[str, Any]) -> str:
        name = websafe_encode(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}})
