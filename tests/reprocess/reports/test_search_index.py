"""The sentences about a video's search index agree with their numbers."""

import pytest

from reprocess.reports.search_index import ChannelStatus, _format_message


@pytest.mark.parametrize(
    ("state", "scenes", "current", "message"),
    [
        ("running", 5, 1, "Updating: 1 of 5 parts is done."),
        ("running", 5, 0, "Updating: 0 of 5 parts are done."),
        ("running", 1, 1, "Updating: 1 of 1 part is done."),
        ("failed", 1, 0, "1 of 1 part could not be updated. Search finds the rest."),
        ("cancelled", 5, 1, "The update was canceled. 1 of 5 parts is up to date."),
        ("none", 5, 4, "1 of 5 parts of this video's search index is out of date."),
        ("none", 5, 3, "2 of 5 parts of this video's search index are out of date."),
        ("none", 5, 5, "The search index of this video is up to date."),
    ],
)
def test_a_message_agrees_with_its_numbers(state: str, scenes: int, current: int, message: str) -> None:
    assert _format_message(state, None, (ChannelStatus("scene_text", "transcript", scenes, current, 0),)) == message
