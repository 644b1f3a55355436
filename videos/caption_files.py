"""Captions as files that players read. Pure."""

from collections.abc import Iterable

from videos.captions import Cue

# SubRip has no escapes, and players take these for marks; the look-alikes are read as text everywhere.
_SUBRIP = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
# W3C WebVTT, section 4.2: cue text.
_WEBVTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def subrip(cues: Iterable[Cue]) -> str:
    """Return a SubRip file (.srt)."""
    return "\n".join(
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n{_text(cue).translate(_SUBRIP)}\n"
        for number, cue in enumerate(cues, 1)
    )


def webvtt(cues: Iterable[Cue]) -> str:
    """Return a WebVTT file (.vtt)."""
    blocks = (f"\n{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n{_text(cue).translate(_WEBVTT)}\n" for cue in cues)
    return "WEBVTT\n" + "".join(blocks)


def _text(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _clock(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{milliseconds:03}"
