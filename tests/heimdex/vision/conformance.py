"""The tests that every describer has to pass. A test class per describer inherits them."""

from functools import cache

import pytest
from PIL import Image

from demo.film import ASSETS
from heimdex.vision.base import Describer, Description

IMAGES = ("chelsea.jpg", "coffee.jpg", "camera.jpg")


class DescriberConformance:
    """Subclass with `describer`, one instance for all tests."""

    describer: Describer

    def test_it_has_an_identity_and_no_problems(self) -> None:
        assert self.describer.check() == []
        assert self.describer.identity

    def test_each_scene_has_its_own_description_in_order(self) -> None:
        scenes = [[load_image(name)] for name in IMAGES]
        together = self.describer.describe(scenes)
        assert [self.describer.describe([scene])[0].text for scene in scenes] == [description.text for description in together]
        assert len({description.text for description in together}) == len(IMAGES)
        for description in together:
            check_description(description)
            assert description.text
            assert description.tags
        assert self.describer.describe([]) == []

    @pytest.mark.parametrize(("mode", "size"), [("RGBA", (640, 20)), ("L", (1, 1)), ("P", (33, 21)), ("CMYK", (64, 64))])
    def test_unusual_images_are_accepted(self, mode: str, size: tuple[int, int]) -> None:
        (description,) = self.describer.describe([[load_image("chelsea.jpg").resize(size).convert(mode)]])
        check_description(description)

    def test_a_scene_may_have_more_images_than_the_model_uses(self) -> None:
        most = self.describer.max_images
        looked_at, (further,) = [load_image(name) for name in IMAGES[:most]], [load_image(name) for name in IMAGES[most : most + 1]]
        assert self.describer.describe([[*looked_at, further]]) == self.describer.describe([looked_at])


def check_description(description: Description) -> None:
    """Assert what is true of every description."""
    assert description.text == " ".join(description.text.split())
    assert all(tag.name.strip() == tag.name != "" and 0 <= tag.confidence <= 1 for tag in description.tags)
    confidences = [tag.confidence for tag in description.tags]
    assert confidences == sorted(confidences, reverse=True)
    assert len({tag.name for tag in description.tags}) == len(description.tags)


@cache
def load_image(name: str) -> Image.Image:
    """Return an image of the demo."""
    with Image.open(ASSETS / name) as image:
        return image.convert("RGB")
