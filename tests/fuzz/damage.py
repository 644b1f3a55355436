"""Damage a file in random ways. Pure."""

from collections.abc import Callable
from random import Random

# Formats describe their content in this many leading bytes.
_HEADER = 4096

Damage = Callable[[bytearray, Random], None]


def damage_file(content: bytes, random: Random) -> bytes:
    """Return a copy of a file with one to three kinds of damage."""
    changed = bytearray(content)
    for damage in random.sample(_DAMAGES, random.randint(1, 3)):
        if changed:
            damage(changed, random)
    return bytes(changed)


def _flip_in_header(content: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, 16)):
        content[random.randrange(min(len(content), _HEADER))] ^= 1 << random.randrange(8)


def _flip_in_trailer(content: bytearray, random: Random) -> None:
    # An MP4's index is at its end.
    for _ in range(random.randint(1, 16)):
        content[-random.randint(1, min(len(content), _HEADER))] = random.randrange(256)


def _flip_anywhere(content: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, max(1, len(content) // 100))):
        content[random.randrange(len(content))] ^= random.randint(1, 255)


def _insert_large_number(content: bytearray, random: Random) -> None:
    position = random.randrange(len(content))
    content[position : position + 4] = random.choice(
        (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x0f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0")
    )


def _cut(content: bytearray, random: Random) -> None:
    del content[random.randrange(len(content)) :]


def _repeat(content: bytearray, random: Random) -> None:
    start = random.randrange(len(content))
    part = content[start : start + random.randint(1, _HEADER)]
    content[random.randrange(len(content)) :] += part


_DAMAGES: list[Damage] = [_flip_in_header, _flip_in_trailer, _flip_anywhere, _insert_large_number, _cut, _repeat]
