"""Fold words, so that what a reader takes for the same word is equal: case, accents, ligatures, full-width letters, vowel points."""

import unicodedata

import regex

# Accents (not the marks of Indic scripts and kana, which distinguish words), Hebrew and Arabic vowel points, the Arabic hamza and tatweel,
# invisible characters, and the variants of emoji.
_IGNORED = regex.compile(
    r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
    r"\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]+"
)
# Letters that Unicode does not decompose, and Arabic letters that are written in several ways.
_LETTERS = str.maketrans(
    {
        "ı": "i",
        "đ": "d",
        "ð": "d",
        "ø": "o",
        "ł": "l",
        "ħ": "h",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ة": "ه",
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ٱ": "ا",
    }
    | {chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0, 0x0966) for digit in range(10)}
)
# How German and Scandinavian letters are typed without them.
_TYPED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_HEXADECIMAL = regex.compile(r"0x([0-9a-f]+)")
_THOUSANDS = regex.compile(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*")


def lower(word: str) -> str:
    """Return a word in lower case with its accents, composed as dictionaries and stemmers expect it (NFC, compatibility forms replaced)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word).casefold())


def fold(word: str) -> str:
    """Return a word without case, accents and other differences that searchers ignore. May be empty.

    ß becomes ss (Unicode case folding), and Arabic letters are unified as in Lucene's ArabicNormalizer.
    """
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    return unicodedata.normalize("NFC", _IGNORED.sub("", decomposed).translate(_LETTERS))


def list_spellings(word: str) -> tuple[str, ...]:
    """Return other folded spellings of a word than `fold(word)`: Müller is typed Mueller, 0x8007 as 8007, and 1,000 as 1000."""
    if not word.isascii():
        typed = lower(word).translate(_TYPED)
        return (fold(typed),) if typed != lower(word) else ()
    if match := _HEXADECIMAL.fullmatch(word.lower()):
        return (match[1],)
    return (regex.sub(r"\D", "", word),) if _THOUSANDS.fullmatch(word) else ()
