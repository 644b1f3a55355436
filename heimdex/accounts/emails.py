"""Store and compare e-mail addresses in one canonical spelling."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    EmailField = models.EmailField[str, str]
else:
    # Only the type stubs know the field's parameters.
    EmailField = models.EmailField

EMAIL_TAKEN = "An account with this e-mail address already exists."


def canonicalize_email(value: str) -> str:
    """Return the spelling for storage, comparison and lockout counts: trimmed and in lower case.

    RFC 5321 allows the part before the @ to be case-sensitive, but providers ignore case, and people type both.
    """
    return value.strip().lower()


class CanonicalEmailField(EmailField):
    """An e-mail column that stores and looks up only the canonical spelling."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return canonicalize_email(text) if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return canonicalize_email(text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
