"""Format and parse times. Pure."""


def format_time(seconds: float, *, with_tenths: bool = False) -> str:
    """Return seconds as `m:ss`, or as `h:mm:ss` from one hour on. Drop fractions, as players do, or append rounded tenths."""
    whole, tenths = divmod(round(seconds * 10), 10) if with_tenths else (int(seconds), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text}.{tenths}" if with_tenths else text


def parse_seconds(text: str) -> float | None:
    """Return the seconds from the video's start that a URL names, or None when it is not a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    # The comparison is false for NaN, and no video lasts a year.
    return seconds if 0 <= seconds < 365 * 86_400 else None
