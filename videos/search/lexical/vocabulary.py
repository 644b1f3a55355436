"""The words of an owner's texts, with which parts of compounds and mistyped words of a query are compared. `owner_words` writes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from itertools import islice
from operator import or_
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Length
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from videos.models import OwnerWord

# Languages that write compounds as one word.
COMPOUNDING = frozenset({"da", "de", "fi", "hu", "is", "nl", "no", "sv"})
# Shorter parts are as often part of another word (letters).
MIN_PART = 4
# What must be left of a compound (letters).
MIN_REST = 3
# Compounds of one word that a query searches for at most.
MAX_COMPOUNDS = 50
MAX_CORRECTIONS = 3
# In shorter words every change of a letter gives another word (goat, boat).
MIN_CORRECTED = 5


def find_related(owner_id: UUID, words: Collection[str]) -> dict[str, list[str]]:
    """Return the owner's compounds with each word (Kaffeepreis for Preis) and its parts (Kaffee for Kaffeepreis), with two queries."""
    words = [word for word in words if len(word) >= MIN_PART and word.isalpha()]
    if not words:
        return {}
    known = OwnerWord.objects.filter(owner_id=owner_id)
    contains = reduce(or_, (Q(word__startswith=word) | Q(reversed__startswith=word[::-1]) for word in words))
    compounds = list(known.filter(contains).order_by(Length("word"), "word").values_list("word", flat=True)[: MAX_COMPOUNDS * len(words)])
    edges = {edge for word in words for edge in _list_edges(word)}
    parts = set(known.filter(word__in=edges).values_list("word", flat=True)) if edges else set()
    return {word: [*choose_compounds(word, compounds), *choose_parts(word, parts)] for word in words}


def choose_compounds(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words that begin or end with a word and are long enough to be compounds. Pure."""
    compounds = (long for long in known if len(long) >= len(word) + MIN_REST and (long.startswith(word) or long.endswith(word)))
    return list(islice(compounds, MAX_COMPOUNDS))


def choose_parts(word: str, known: Collection[str]) -> list[str]:
    """Return the longest of the known words with which a word begins, and the longest with which it ends. Pure."""
    edges = [edge for edge in _list_edges(word) if edge in known]
    first = max((edge for edge in edges if word.startswith(edge)), key=len, default="")
    last = max((edge for edge in edges if word.endswith(edge)), key=len, default="")
    return [part for part in dict.fromkeys((first, last)) if part]


def find_corrections(owner_id: UUID, words: Mapping[str, Collection[str]], excluded: Collection[str]) -> dict[str, list[str]]:
    """Return the owner's words that differ least from each mistyped word, with at most two queries.

    `words` are the words that may be mistyped, with all their forms. Words of which the owner has a form are none, and are left out, like
    those that nothing is near. The `excluded` words correct nothing. Words of which both ends are mistyped are not corrected.
    """
    words = {word: forms for word, forms in words.items() if get_max_distance(word)}
    if not words:
        return {}
    own = OwnerWord.objects.filter(owner_id=owner_id)
    known = set(own.filter(word__in={form for forms in words.values() for form in forms}).values_list("word", flat=True))
    unknown = [word for word, forms in words.items() if known.isdisjoint(forms)]
    if not unknown:
        return {}
    near = own.annotate(length=Length("word")).filter(reduce(or_, map(_is_near, unknown))).order_by("-word_count", "-stem_count", "word")
    candidates = {word: count for word, count in near.values_list("word", "word_count") if word not in excluded}
    complete = [word for word, count in candidates.items() if count]
    # Texts may hold only other forms of the word that is meant. Then its stem is near.
    corrections = {word: choose_corrections(word, complete) or choose_corrections(word, list(candidates)) for word in unknown}
    return {word: similar for word, similar in corrections.items() if similar}


def choose_corrections(word: str, known: Sequence[str]) -> list[str]:
    """Return the first of the known words at the least distance (Damerau and Levenshtein: two letters swapped count as one). Pure."""
    near = process.extract(word, known, scorer=DamerauLevenshtein.distance, score_cutoff=get_max_distance(word), limit=MAX_CORRECTIONS)
    return [match for match, distance, _ in near if distance == near[0][1]]


def get_max_distance(word: str) -> int:
    """Return how many letters of a word may be wrong: none in short words, where every change gives another word. Pure."""
    if len(word) < MIN_CORRECTED or not word.isalpha():
        return 0
    return 1 if len(word) < 2 * MIN_CORRECTED - 1 else 2


def list_intact_ends(word: str) -> tuple[str, str]:
    """Return a beginning and an end of a word, of which at least one is intact, unless letters at both ends are wrong. Pure.

    Between them is a letter or more, so that two letters that were swapped are not in both.
    """
    size = (len(word) - 1) // 2 if get_max_distance(word) == 1 else len(word) // 3
    return word[:size], word[-size:]


def _is_near(word: str) -> Q:
    """Match words of about the same length that share an end with a word, which the index finds."""
    distance = get_max_distance(word)
    first, last = list_intact_ends(word)
    shares_end = Q(word__startswith=first) | Q(reversed__startswith=last[::-1])
    return Q(shares_end, length__gte=len(word) - distance, length__lte=len(word) + distance)


def _list_edges(word: str) -> Collection[str]:
    sizes = range(MIN_PART, len(word) - MIN_REST + 1)
    return {edge for size in sizes for edge in (word[:size], word[-size:])}
