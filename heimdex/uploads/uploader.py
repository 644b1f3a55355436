"""The uploader on a page: uploads/uploader.html renders it, and uploader.js sends the files."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Uploader:
    """The texts and URLs of an uploader.

    `complete_url` and `page_url` may contain `{id}`, which the script replaces by the new id; `id_key` is that id's field in API responses.
    After an upload the script refreshes the page's elements whose `data-live` contains `refreshes`. `languages` are codes and names.
    """

    heading: str
    label: str
    help: str
    without_script: str
    accept: str
    max_bytes: int
    init_url: str
    complete_url: str
    items_url: str
    id_key: str
    refreshes: str
    page_url: str = ""
    languages: Sequence[tuple[str, str]] = ()
