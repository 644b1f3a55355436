"""Format captions as SubRip and WebVTT files. Pure."""

from collections.abc import Iterable

from videos.export.captions import Caption

# SubRip has no escapes, and players interpret these characters as markup. The look-alikes are always shown as text.
_SUBRIP_REPLACEMENTS = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
# W3C WebVTT, section 4.2: cue text.
_WEBVTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def format_subrip(captions: Iterable[Caption]) -> str:
    """Return a SubRip file (.srt)."""
    return "\n".join(
        f"{number}\n{_format_time(caption.start_s, ',')} --> {_format_time(caption.end_s, ',')}\n"
        f"{_text(caption).translate(_SUBRIP_REPLACEMENTS)}\n"
        for number, caption in enumerate(captions, 1)
    )


def format_webvtt(captions: Iterable[Caption]) -> str:
    """Return a WebVTT file (.vtt)."""
    blocks = (
        f"\n{_format_time(caption.start_s, '.')} --> {_format_time(caption.end_s, '.')}\n{_text(caption).translate(_WEBVTT_ESCAPES)}\n"
        for caption in captions
    )
    return "WEBVTT\n" + "".join(blocks)


def _text(caption: Caption) -> str:
    return "\n".join(caption.lines)


def _format_time(seconds: float, decimal_point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{decimal_point}{milliseconds:03}"
