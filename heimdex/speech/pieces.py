"""Words out of the pieces that Whisper counts as words."""

from collections.abc import Iterable

from heimdex.speech.base import Word

_JOINERS = ("-", "'", "\u2019")


def whole_words(pieces: Iterable[Word]) -> tuple[Word, ...]:
    """Join "ill" and "-disposed", which Whisper times apart, and strip the space that marks a word's begin.

    Pieces of languages that write no spaces stay apart, each with its own time.
    """
    words: list[Word] = []
    for piece in pieces:
        if words and piece.text.startswith(_JOINERS):
            last = words.pop()
            probability = min(last.probability, piece.probability)
            words.append(Word(last.start_s, piece.end_s, last.text + piece.text.strip(), probability))
        elif piece.text.strip():
            words.append(Word(piece.start_s, piece.end_s, piece.text.strip(), piece.probability))
    return tuple(words)
