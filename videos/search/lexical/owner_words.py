"""Keep the counts of `OwnerWord`: how many texts of an owner hold each word. They change with the texts, in the same transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Func, QuerySet, TextField, Value

from heimdex.accounts.models import User
from videos.models import OwnerWord, SceneWords, VideoWords
from videos.search.lexical.lexemes import KEY_LENGTH, STEM_MARK, find_vocabulary, is_vocabulary

SCENE_FIELDS = ("spoken", "shown", "on_screen")
VIDEO_FIELDS = ("title", "description")
_BATCH = 5000
# Counts by lexeme: a word, or a stem after its mark.
Counts = Mapping[str, int]


class VocabularyChange:
    """Collects the texts that a transaction adds and removes, and then changes the counts of their owners' words once."""

    def __init__(self) -> None:
        self._counts: defaultdict[UUID, Counter[str]] = defaultdict(Counter)

    def add(self, rows: Iterable[SceneWords | VideoWords]) -> None:
        """Count the words of rows that are written."""
        for row in rows:
            self._counts[row.owner_id].update(_list_lexemes(row))

    def remove(self, rows: Iterable[SceneWords | VideoWords]) -> None:
        """Count the words of rows, as they are stored, that are replaced or deleted."""
        for row in rows:
            self._counts[row.owner_id].subtract(_list_lexemes(row))

    def apply(self) -> None:
        """Change the counts. The transaction must hold the locks of the videos, and lock no other owner's afterwards."""
        for owner_id, counts in sorted(self._counts.items()):
            if changed := {lexeme: count for lexeme, count in counts.items() if count}:
                _lock_vocabulary(owner_id)
                _change_counts(owner_id, changed)
        self._counts.clear()


def find_miscounted(owner_id: UUID) -> set[str]:
    """Return the words of an owner whose counts differ from the texts."""
    return _compare(owner_id) and _compare_locked(owner_id, repair=False)


def repair_counts(owner_id: UUID) -> int:
    """Count the words of an owner's texts again. Return how many words were counted wrong."""
    return len(_compare_locked(owner_id, repair=True))


def _compare_locked(owner_id: UUID, *, repair: bool) -> set[str]:
    """Compare, and repair, while no other transaction changes the counts, so that those under way are no difference."""
    with transaction.atomic():
        _lock_vocabulary(owner_id)
        different = _compare(owner_id)
        if different and repair:
            counts = _count_texts(owner_id)
            OwnerWord.objects.filter(owner_id=owner_id, word__in=different).delete()
            _change_counts(owner_id, {lexeme: count for lexeme, count in counts.items() if lexeme.lstrip(STEM_MARK) in different})
    return different


def _compare(owner_id: UUID) -> set[str]:
    expected = _pair(_count_texts(owner_id))
    rows = OwnerWord.objects.filter(owner_id=owner_id).values_list("word", "word_count", "stem_count")
    actual = {word: (word_count, stem_count) for word, word_count, stem_count in rows.iterator(chunk_size=_BATCH)}
    return {word for word in expected.keys() | actual.keys() if expected.get(word) != actual.get(word)}


def _count_texts(owner_id: UUID) -> Counter[str]:
    """Return the number of texts by lexeme, counted by the database."""
    counts: Counter[str] = Counter()
    for model, fields in ((SceneWords, SCENE_FIELDS), (VideoWords, VIDEO_FIELDS)):
        for field in fields:
            rows: QuerySet[SceneWords | VideoWords] = model._default_manager.filter(owner_id=owner_id)
            for lexeme, count in _unnest(rows, field):
                if is_vocabulary(lexeme[KEY_LENGTH:]):
                    counts[lexeme[KEY_LENGTH:]] += count
    return counts


def _unnest(rows: QuerySet[SceneWords | VideoWords], field: str) -> Iterator[tuple[str, int]]:
    lexeme = Func(Func(F(field), function="tsvector_to_array"), function="unnest", output_field=TextField())
    lexeme.set_returning = True
    counted = rows.order_by().annotate(lexeme=lexeme).values("lexeme").annotate(count=Count("pk"))
    yield from counted.values_list("lexeme", "count").iterator(chunk_size=_BATCH)


def _change_counts(owner_id: UUID, changes: Counts) -> None:
    """Add to the counts of an owner whose vocabulary is locked. Words that no text holds any more are deleted."""
    pairs = iter(sorted(_pair(changes).items()))
    while batch := dict(islice(pairs, _BATCH)):
        known = {row.word: row for row in OwnerWord.objects.filter(owner_id=owner_id, word__in=batch)}
        changed = []
        for word, (word_count, stem_count) in batch.items():
            row = known.get(word) or OwnerWord(owner_id=owner_id, word=word, reversed=word[::-1])
            # A count that was wrong before must not become negative. `reconcile` finds it.
            row.word_count = max(0, row.word_count + word_count)
            row.stem_count = max(0, row.stem_count + stem_count)
            changed.append(row)
        unused = [row.pk for row in changed if row.pk and not row.word_count and not row.stem_count]
        OwnerWord.objects.filter(pk__in=unused).delete()
        OwnerWord.objects.bulk_create(
            [row for row in changed if row.word_count or row.stem_count],
            update_conflicts=True,
            unique_fields=["owner", "word"],
            update_fields=["word_count", "stem_count"],
        )


def _pair(counts: Counts) -> dict[str, tuple[int, int]]:
    """Return the counts as a word and as a stem by word, of those that are not zero."""
    words = {lexeme.removeprefix(STEM_MARK) for lexeme, count in counts.items() if count}
    return {word: (counts.get(word, 0), counts.get(STEM_MARK + word, 0)) for word in words}


def _list_lexemes(row: SceneWords | VideoWords) -> Iterator[str]:
    for field in SCENE_FIELDS if isinstance(row, SceneWords) else VIDEO_FIELDS:
        yield from find_vocabulary(getattr(row, field))


def _lock_vocabulary(owner_id: UUID) -> None:
    """Lock the counts of an owner's words until the transaction ends. Two owners with the same key wait for each other.

    A lock of the owner's row would be in the wrong order: a transfer locks owners before videos.
    """
    key = int.from_bytes(owner_id.bytes[:8], signed=True)
    lock = Func(Value(key), function="pg_advisory_xact_lock", output_field=TextField())
    list(User.objects.filter(pk=owner_id).annotate(lock=lock).values_list("lock"))
