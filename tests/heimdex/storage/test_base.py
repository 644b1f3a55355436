"""Keys and file names at their exact limits."""

import pytest

from heimdex.storage.base import InvalidKeyError, sanitize_filename, validate_key, validate_prefix


@pytest.mark.parametrize("key", ["a", "videos/1/original", "a.b_c-d/0", "x" * 500])
def test_a_key_of_up_to_500_characters_is_valid(key: str) -> None:
    assert validate_key(key) == key


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", ".a", "a/.b", "a/../b", "ä", "a b", "x" * 501])
def test_a_key_that_this_server_never_creates_is_invalid(key: str) -> None:
    with pytest.raises(InvalidKeyError):
        validate_key(key)


def test_a_prefix_has_one_trailing_slash() -> None:
    assert validate_prefix("videos/1") == validate_prefix("videos/1/") == "videos/1/"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("x" * 150, "x" * 150),
        ("x" * 151, "x" * 150),
        ("x" * 146 + ".mp4", "x" * 146 + ".mp4"),
        ("x" * 147 + ".mp4", "x" * 146 + ".mp4"),
        ("a." + "b" * 10, "a." + "b" * 10),
        ("x" * 200 + "." + "b" * 10, "x" * 139 + "." + "b" * 10),
        ("x" * 200 + "." + "b" * 11, "x" * 150),
        ("folder/a.mp4", "a.mp4"),
        ("", "file"),
    ],
)
def test_a_file_name_of_up_to_150_characters_keeps_its_extension(name: str, safe: str) -> None:
    assert sanitize_filename(name) == safe
