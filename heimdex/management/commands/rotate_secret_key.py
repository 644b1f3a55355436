"""`manage.py rotate_secret_key`: sign with a new secret key, and later forget the old ones."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heimdex.accounts.encryption import Unreadable, reencrypt_secrets
from heimdex.secret_keys import make_secret_key, read_secret_keys, write_secret_keys

IN_ENVIRONMENT = (
    "The key is in HEIMDEX_SECRET_KEY, so this command cannot replace it. Give HEIMDEX_SECRET_KEY a new value, move the old one to "
    "HEIMDEX_SECRET_KEY_FALLBACKS, and restart Heimdex. docs/how-to/rotate-secrets.md has the order for several machines."
)
ROTATED = (
    "A new secret key is in {path}. Restart Heimdex, so that all processes use it: `make down && make up`. What the old key signed keeps "
    "working. In 14 days, when its last tokens have expired, run `manage.py rotate_secret_key --drop-fallbacks`."
)
DROPPED = "The old keys are dropped. Restart Heimdex (`make down && make up`): then nothing works that they signed."
FALLBACKS_IN_ENVIRONMENT = (
    "Now remove HEIMDEX_SECRET_KEY_FALLBACKS from the environment, and restart Heimdex: then nothing works that the old keys signed."
)
UNREADABLE = (
    "The secrets of an account's two-factor authentication are encrypted with a key that is neither the current one nor a fallback, so "
    "nothing was changed. Add that key to HEIMDEX_SECRET_KEY_FALLBACKS, or run `manage.py reset_two_factor EMAIL` for the account."
)
NO_FALLBACKS = "There are no old keys. Nothing was changed."


class Command(BaseCommand):
    help = (
        "Write a new secret key and keep the old one as a fallback, which still verifies what it signed. With --drop-fallbacks, forget the "
        "old keys instead. Exit codes: 0 done, 1 not done, 2 the key is in the environment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drop-fallbacks", action="store_true", help="keep only the current key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(drop_fallbacks() if options["drop_fallbacks"] else rotate())
        except OSError as error:
            path = settings.ENVIRONMENT.secret_key_path
            fix = "Nothing was changed. Run the command as the owner of the file."
            raise CommandError(f"Cannot write {path} ({error.strerror}). {fix}") from error


def rotate() -> str:
    """Write a new key. Return what to do next."""
    if settings.ENVIRONMENT.secret_key:
        raise CommandError(IN_ENVIRONMENT, returncode=2)
    path = settings.ENVIRONMENT.secret_key_path
    write_secret_keys(path, read_secret_keys(path).rotate(make_secret_key()))
    return ROTATED.format(path=path)


def drop_fallbacks() -> str:
    """Forget the old keys. Return what to do next."""
    if not settings.SECRET_KEY_FALLBACKS:
        return NO_FALLBACKS
    try:
        reencrypt_secrets()
    except Unreadable as error:
        raise CommandError(UNREADABLE) from error
    if not settings.ENVIRONMENT.secret_key:
        path = settings.ENVIRONMENT.secret_key_path
        write_secret_keys(path, read_secret_keys(path).drop_fallbacks())
    return FALLBACKS_IN_ENVIRONMENT if settings.ENVIRONMENT.secret_key_fallbacks else DROPPED
