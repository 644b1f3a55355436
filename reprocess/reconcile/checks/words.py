"""Videos and scenes that the search for words does not find by their current texts, and words of owners that are counted wrong."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from heimdex.accounts.models import User
from reprocess.reconcile.base import Check, Finding, IssueType
from videos.models import OwnerWord, VideoWords
from videos.search.lexical.owner_words import find_miscounted, repair_counts
from videos.search.lexical.word_rows import select_outdated_scenes, select_outdated_videos, write_missing_words, write_words

_REPAIR = "analyzes their texts"
_MANUAL_FIX = "Run manage.py index_words. If it does not help, report it."
VIDEOS = IssueType("outdated_titles", "videos are not found by the words of their current title and description", _REPAIR, _MANUAL_FIX)
SCENES = IssueType("outdated_words", "scenes are not found by the words of their current texts", _REPAIR, _MANUAL_FIX)
COUNTS = IssueType(
    "miscounted_words",
    "words are counted wrong, so that typing errors are corrected to words that no text holds, or not to those that texts hold",
    "counts the words of the owner's texts again",
    "Run it again. If it does not help, report it.",
)


class Words(Check):
    """Compare the words of every video and scene with their texts, and the counts of each owner's words, with a few SQL statements."""

    order = 45
    issue_types = (VIDEOS, SCENES, COUNTS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        of_owner = {"owner_id": owner_id} if owner_id else {}
        videos = select_outdated_videos().filter(**of_owner).order_by("pk").values_list("pk", "title")
        for video_id, title in videos.iterator(chunk_size=500):
            yield Finding(VIDEOS, 1, f"“{title}”", partial(_repair_video, video_id))
        scenes = select_outdated_scenes().filter(**of_owner).order_by("video_id").values_list("video_id", "video__title")
        for video_id, title, count in scenes.annotate(count=Count("pk")).iterator(chunk_size=500):
            yield Finding(SCENES, count, f"“{title}”: {count} scene(s)", partial(_repair_scenes, video_id))
        yield from _find_miscounted(owner_id)


def _find_miscounted(owner_id: UUID | None) -> Iterator[Finding]:
    has_words = Q(Exists(VideoWords.objects.filter(owner=OuterRef("pk"))) | Exists(OwnerWord.objects.filter(owner=OuterRef("pk"))))
    owners = User.objects.filter(has_words, **({"pk": owner_id} if owner_id else {})).order_by("pk")
    for key, email in owners.values_list("pk", "email").iterator(chunk_size=500):
        if words := find_miscounted(key):
            yield Finding(COUNTS, len(words), f"{email}: {min(words)}", partial(repair_counts, key))


def _repair_video(video_id: UUID) -> int:
    write_missing_words(video_id)
    return 1


def _repair_scenes(video_id: UUID) -> int:
    scene_ids = list(select_outdated_scenes().filter(video_id=video_id).values_list("pk", flat=True))
    write_words(scene_ids)
    return len(scene_ids)


CHECK = Words()
