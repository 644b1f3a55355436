"""Model fields that several apps share."""

from typing import Any

from django.db import models

from heimdex.redaction import redact_text


class ErrorTextField(models.TextField):  # type: ignore[type-arg]  # generic only in the stubs
    """A sentence about what went wrong. Secrets are removed when it is stored: users read it, and backups hold it."""

    def get_prep_value(self, value: Any) -> Any:
        """Return the text without secrets."""
        prepared = super().get_prep_value(value)
        return redact_text(prepared) if isinstance(prepared, str) else prepared

    def deconstruct(self) -> Any:
        """Appear in migrations as a TextField, whose column it has."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options
