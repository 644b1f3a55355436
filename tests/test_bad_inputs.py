"""Every kind of bad upload has a file with an expected answer."""

from heimdex.media.errors import MediaErrorCode
from tests.bad_inputs import list_bad_inputs


def test_the_list_is_complete_and_its_answers_are_known() -> None:
    inputs = list_bad_inputs()
    assert {bad.kind for bad in inputs} == set(range(1, 25)), (
        "kind 25 is about requests: see test_uploads.py, test_conformance.py and test_signed_urls.py"
    )
    assert {bad.code for bad in inputs if bad.answer == "failed"} <= set(MediaErrorCode)
