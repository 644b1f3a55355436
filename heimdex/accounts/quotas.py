"""How much an owner may store, and how much the owner's files use."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from heimdex.accounts.models import User
from heimdex.errors import WrongState

NO_BYTES_LEFT = "This file has {size}, but only {free} of your {limit} are free. Delete videos, or ask an administrator for more space."
NO_MINUTES_LEFT = (
    "Your videos last {used} of the {limit} minutes that your account includes. Delete videos, or ask an administrator for more."
)
VIDEO_TOO_LONG = (
    "This video lasts {length} minutes, but only {left} of your {limit} minutes are left. Delete other videos, or ask an administrator "
    "for more minutes. Then retry."
)
TOO_MANY_OPEN = "You have {limit} unfinished uploads, which is the limit. Complete or delete one of them first."


@dataclass(frozen=True)
class Usage:
    """What an owner's files use. An upload that has been announced counts with its announced bytes, and as an open upload."""

    bytes: int = 0
    seconds: float = 0.0
    open_uploads: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.bytes + other.bytes, self.seconds + other.seconds, self.open_uploads + other.open_uploads)

    @property
    def minutes(self) -> float:
        """Return the minutes of all videos, to a tenth."""
        return round(self.seconds / 60, 1)


@dataclass(frozen=True)
class Quota:
    """What an owner may use. None is no limit."""

    max_bytes: int | None
    max_minutes: int | None
    max_open_uploads: int

    def find_upload_problem(self, usage: Usage, size_bytes: int) -> str | None:
        """Return why an owner may not announce a file of this size, as a sentence. Pure."""
        if usage.open_uploads >= self.max_open_uploads:
            return TOO_MANY_OPEN.format(limit=self.max_open_uploads)
        if self.max_bytes is not None and usage.bytes + size_bytes > self.max_bytes:
            free = max(0, self.max_bytes - usage.bytes)
            sizes = {"size": size_bytes, "free": free, "limit": self.max_bytes}
            return NO_BYTES_LEFT.format(**{name: filesizeformat(size) for name, size in sizes.items()})
        return None

    def find_video_problem(self, usage: Usage) -> str | None:
        """Return why an owner may not announce another video, whose length is not known yet. Pure."""
        if self.max_minutes is None or usage.seconds < 60 * self.max_minutes:
            return None
        return NO_MINUTES_LEFT.format(used=_format_minutes(usage.seconds), limit=self.max_minutes)

    def find_length_problem(self, usage: Usage, duration_s: float) -> str | None:
        """Return why a video of this length may not be added, as a sentence. Pure."""
        if self.max_minutes is None or usage.seconds + duration_s <= 60 * self.max_minutes:
            return None
        left_s = 60 * self.max_minutes - min(usage.seconds, 60 * self.max_minutes)
        return VIDEO_TOO_LONG.format(length=_format_minutes(duration_s), left=_format_minutes(left_s), limit=self.max_minutes)


_measures: list[Callable[[UUID], Usage]] = []


def register_usage(measure: Callable[[UUID], Usage]) -> None:
    """Add a function that measures one type of an owner's files. Apps call it in `AppConfig.ready`."""
    if measure not in _measures:
        _measures.append(measure)


def measure_usage(owner_id: UUID) -> Usage:
    """Return what all files of an owner use."""
    return sum((measure(owner_id) for measure in _measures), Usage())


def get_quota(owner: User) -> Quota:
    """Return the owner's quota: the values of the account, else those of the installation."""
    return Quota(
        max_bytes=settings.MAX_OWNER_BYTES if owner.max_bytes is None else owner.max_bytes,
        max_minutes=settings.MAX_OWNER_MINUTES if owner.max_minutes is None else owner.max_minutes,
        max_open_uploads=settings.MAX_OPEN_UPLOADS,
    )


def describe_usage(owner: User) -> str:
    """Return what the owner's files use and may use, as a sentence for the owner and the admin."""
    quota, usage = get_quota(owner), measure_usage(owner.pk)
    size = filesizeformat(usage.bytes) + (f" of {filesizeformat(quota.max_bytes)}" if quota.max_bytes is not None else "")
    minutes = _format_minutes(usage.seconds) + (f" of {quota.max_minutes}" if quota.max_minutes is not None else "")
    return f"In use: {size}, {minutes} minutes of video."


def check_upload_quota(owner: User, size_bytes: int, *, is_video: bool) -> None:
    """Raise WrongState when the owner may not announce a file of this size.

    Call it in a transaction that has spent the rate of uploads: its row is locked, so that no other upload of the owner is announced
    between this check and the new row.
    """
    quota, usage = get_quota(User.objects.get(pk=owner.pk)), measure_usage(owner.pk)
    problem = (quota.find_video_problem(usage) if is_video else None) or quota.find_upload_problem(usage, size_bytes)
    if problem:
        raise WrongState(problem)


def _format_minutes(seconds: float) -> str:
    """Return minutes to a tenth. A rest that is shorter does not look like more than it is."""
    return f"{seconds // 6 / 10:g}"
