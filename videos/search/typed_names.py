"""Read names as people type them: in any Unicode form, and with the signs of phones and East Asian keyboards. Pure."""

import unicodedata

# What is typed instead of the signs of the query language.
_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "＂": '"', "−": "-", "－": "-", "＠": "@"})


def use_plain_signs(text: str) -> str:
    """Return a text of the same length with ASCII's quotation marks, minus and at signs."""
    return text.translate(_PLAIN)


def normalize_name(name: str) -> str:
    """Return the form of a name (of a person, a tag, …) in which names are stored and compared: plain signs, and accents composed (NFC)."""
    return unicodedata.normalize("NFC", use_plain_signs(name))
