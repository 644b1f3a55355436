"""Words of scenes whose frequencies fall with their rank, as in speech, and queries of such words."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 20_000
TEXTS = 4_000
# Half of what is said are so few words. In a language they are its stop words, of which queries have none.
STOP_WORDS = 100
QUERY_WORDS = 3

# The scenes of an owner have the same texts in libraries of any size.
_CHOICES = """CREATE TEMP TABLE filled_choice AS
    SELECT scene.id AS scene_id, scene.owner_id, mod(abs(hashtext(
        email || row_number() OVER (PARTITION BY scene.owner_id ORDER BY scene.id))), %s) AS number
    FROM videos_scene scene JOIN accounts_user owner ON owner.id = scene.owner_id"""
_SCENE_WORDS = """INSERT INTO videos_scenewords (scene_id, owner_id, video_id, index, spoken, shown, on_screen, spoken_count,
        spoken_window, shown_count, on_screen_count, text_hash)
    SELECT scene.id, scene.owner_id, scene.video_id, scene.index, replace(vector, '{}', key)::tsvector, '', '', count, 2 * count, 0, 0, ''
    FROM videos_scene scene JOIN filled_choice ON scene_id = scene.id JOIN filled_text USING (number)
    JOIN filled_key ON filled_key.owner_id = scene.owner_id"""
_OWNER_WORDS = """INSERT INTO videos_ownerword (owner_id, word, reversed, word_count, stem_count)
    SELECT owner_id, word, reverse(word), sum(times), sum(times)
    FROM (SELECT owner_id, number, count(*) AS times FROM filled_choice GROUP BY 1, 2) used
    JOIN (SELECT number, ltrim(unnest(tsvector_to_array(replace(vector, '{}', '')::tsvector)), '~') AS word FROM filled_text) held
        USING (number)
    GROUP BY owner_id, word"""
_VIDEO_WORDS = """INSERT INTO videos_videowords (video_id, owner_id, title, description, spoken_scenes, spoken_windows, shown_scenes,
        shown_words, on_screen_scenes, on_screen_words, text_hash, languages, analysis_version)
    SELECT video_id, owner_id, '', '', count(*), sum(spoken_window), 0, 0, 0, 0, '', '{en}', %s
    FROM videos_scenewords GROUP BY video_id, owner_id"""


def fill_words(cursor: Any) -> None:
    """Give each scene one of some texts, with the key of its owner in front of each word, and sum the words of videos."""
    from heimdex.accounts.models import User
    from heimdex.text_analysis import ANALYSIS_VERSION
    from videos.search.lexical.lexemes import get_owner_key

    cursor.execute("CREATE TEMP TABLE filled_text (number int, vector text, count int)")
    with cursor.copy("COPY filled_text FROM STDIN") as copy:
        for row in make_texts():
            copy.write_row(row)
    cursor.execute("CREATE TEMP TABLE filled_key (owner_id uuid, key text)")
    owner_ids = list(User.objects.values_list("pk", flat=True))
    with cursor.copy("COPY filled_key FROM STDIN") as copy:
        for owner_id in owner_ids:
            copy.write_row((owner_id, get_owner_key(owner_id)))
    cursor.execute(_CHOICES, [TEXTS])
    cursor.execute("ANALYZE filled_choice")
    cursor.execute(_SCENE_WORDS)
    cursor.execute(_OWNER_WORDS)
    cursor.execute(_VIDEO_WORDS, [ANALYSIS_VERSION])


def make_texts() -> Iterator[tuple[int, str, int]]:
    """Yield numbered tsvectors, with `{}` for the key of an owner, of 5 to 59 words, and the number of words. Pure."""
    noise = np.random.default_rng(2)
    shares = _compute_shares(0)
    for number in range(TEXTS):
        words = noise.choice(VOCABULARY, int(noise.integers(5, 60)), p=shares)
        places: dict[str, list[int]] = {}
        for place, word in enumerate(words, start=1):
            places.setdefault(make_word(int(word)), []).append(place)
        vector = " ".join(f"'{{}}{mark}{word}':{','.join(map(str, spots))}" for word, spots in places.items() for mark in ("", "~"))
        yield number, vector, len(words)


def draw_queries(count: int, seed: int) -> list[str]:
    """Return queries of words as frequent as in the texts, without the most frequent ones. The same seed draws the same. Pure."""
    drawn = np.random.default_rng(seed).choice(VOCABULARY, (count, QUERY_WORDS), p=_compute_shares(STOP_WORDS))
    return [" ".join(make_word(int(rank)) for rank in ranks) for ranks in drawn]


def make_word(rank: int) -> str:
    """Return a word of letters for a rank in the vocabulary, which no stemmer changes and no stop word equals. Pure."""
    letters = ""
    while True:
        rank, letter = divmod(rank, 20)
        letters = "bcdfghjklmnpqrtvwxzs"[letter] + "aou"[letter % 3] + letters
        if not rank:
            return letters + "k"


def _compute_shares(first_rank: int) -> NDArray[np.float64]:
    """Return how frequent the word of each rank is, by Zipf's law. Those before the first rank do not occur."""
    weights = 1 / np.arange(1, VOCABULARY + 1)
    weights[:first_rank] = 0
    return np.asarray(weights / weights.sum())
