"""One spelling for an e-mail address, wherever it enters."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    EmailField = models.EmailField[str, str]
else:
    # Only the type stubs know the field's parameters.
    EmailField = models.EmailField


def canonical_email(value: str) -> str:
    """Return `value` as it is stored, compared and counted against guessing: trimmed and in lower case.

    RFC 5321 lets the part before the @ depend on case, but no provider in use does, and people type both.
    """
    return value.strip().lower()


class CanonicalEmailField(EmailField):
    """An e-mail column that holds, and is looked up by, the canonical spelling only."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return canonical_email(text) if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return canonical_email(text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
