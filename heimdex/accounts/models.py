"""The user: the owner of every video, person and vector; sessions; invitations; forgotten passwords; and how much of each rate is used."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.module_loading import import_string

from heimdex.accounts.emails import EMAIL_TAKEN, CanonicalEmailField, canonicalize_email


class UserManager(BaseUserManager["User"]):
    """Create users, and find them by e-mail address in any capitalization."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user. Without a password nobody can log in as this user."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=canonicalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with all permissions, including the admin pages."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an e-mail address and owns their uploads."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = CanonicalEmailField("e-mail address", max_length=254, unique=True, error_messages={"unique": EMAIL_TAKEN})
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField("staff", default=False, help_text="May use the admin pages and reprocess embeddings.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this to lock the account and keep its videos.")
    is_email_confirmed = models.BooleanField(
        "e-mail address confirmed",
        default=True,
        help_text="An account without it cannot log in. New accounts confirm by a link in an e-mail.",
    )
    find_faces = models.BooleanField(
        default=True, help_text="Clear this to turn off face recognition in this user's videos and erase its results."
    )
    max_bytes = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Bytes that the uploaded files may take up. Empty: the default of this server."
    )
    max_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Minutes that all videos together may last. Empty: the default of this server."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "user"
        ordering = ["email"]
        constraints = [
            # The field already stores one spelling. This also covers rows that are written in other ways.
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_unique_any_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return the name, or the e-mail address without one."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """Return the first word of the name, or the e-mail address without a name."""
        return self.name.split()[0] if self.name.strip() else self.email


class Session(AbstractBaseSession):
    """A session of Django, with the user who is logged in, so that the sessions of a user can be ended. See heimdex.accounts.sessions."""

    user = models.ForeignKey(User, null=True, editable=False, on_delete=models.CASCADE, related_name="+")

    class Meta(AbstractBaseSession.Meta):
        pass

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """Return the class that reads and writes the rows."""
        store: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        return store


class Invitation(models.Model):
    """The permission of one address to register, once. See heimdex.accounts.invitations."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = CanonicalEmailField("e-mail address", max_length=254)
    invited_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.email


class PasswordReset(models.Model):
    """A request for a new password, until its e-mail is sent. An account may have the address. See heimdex.accounts.password_reset."""

    email = CanonicalEmailField("e-mail address", max_length=254, primary_key=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.email


class RateLimit(models.Model):
    """The use of one rate: `key` names an action and who does it. See heimdex.accounts.rate_limits."""

    key = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
