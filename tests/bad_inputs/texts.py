"""Files that are not videos but make an unrestricted FFmpeg read other files and open connections."""

import io
import random
import zipfile
from pathlib import Path

from tests import media

_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{address}\n#EXT-X-ENDLIST\n"
_SESSION = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
_MANIFEST = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>'
    "<AdaptationSet mimeType='video/mp4'><Representation id='1' bandwidth='1'><BaseURL>{base}/film.mp4</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>"
)


def build_contents(port: int, neighbor: Path) -> dict[str, bytes]:
    """Return small files by name; they refer to a port of this machine and to a video on it."""
    base = f"http://127.0.0.1:{port}"
    film = media.build_video((50,)).read_bytes()
    texts = {
        "text.mp4": "This is no video.\n" * 50,
        "page.mp4": "<!doctype html><title>A film</title><video src='film.mp4'><script>alert(1)</script>",
        "playlist-of-a-file.mp4": _PLAYLIST.format(address=f"file://{neighbor}"),
        "playlist-of-an-address.mp4": _PLAYLIST.format(address=f"{base}/film.ts"),
        "list-of-a-neighbor.mp4": f"ffconcat version 1.0\nfile '{neighbor}'\n",
        "session.mp4": _SESSION.format(port=port),
        "manifest.mp4": _MANIFEST.format(base=base),
        "redirector.mp4": f'<asx version="3.0"><entry><ref href="{base}/film.wmv"/></entry></asx>',
        "drawing.mp4": f'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><image href="{base}/a.png"/></svg>',
    }
    return {
        **{name: text.encode() for name, text in texts.items()},
        "empty.mp4": b"",
        "one-byte.mp4": b"\0",
        "random.mp4": random.Random(7).randbytes(200_000),
        "archive.mp4": _archive(),
        "page-before-a-film.mp4": b"<!doctype html><script>alert(1)</script>" + film,
        **{f"name-{number}.mp4": film for number in range(1, 7)},
    }


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("film.mp4", media.build_video((50,)).read_bytes())
    return buffer.getvalue()
