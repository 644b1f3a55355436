"""Format and parse times. Pure."""


def format_time(seconds: float) -> str:
    """Return seconds as `m:ss`, or as `h:mm:ss` from one hour on. Fractions are dropped, as players do."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def parse_seconds(text: str) -> float | None:
    """Return the seconds from the video's start that a URL names, or None when it is not a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    # The comparison is false for NaN, and no video lasts a year.
    return seconds if 0 <= seconds < 365 * 86_400 else None
