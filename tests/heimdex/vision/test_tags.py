"""What the packaged classifier sees in pictures whose content is known."""

import threading

import numpy as np
import pytest
from PIL import Image

from demo.film import ASSETS
from heimdex.vision.classifier import ImageClassifier
from heimdex.vision.tags import TagDescriber, select_tags

DESCRIBER = TagDescriber()


@pytest.mark.parametrize(
    ("picture", "seen"),
    [
        ("chelsea.jpg", {"Egyptian Mau", "tabby cat", "tiger cat"}),
        ("coffee.jpg", {"espresso"}),
        ("rocket.jpg", {"missile"}),
        ("camera.jpg", {"tripod"}),
    ],
)
def test_a_picture_is_tagged_with_what_it_shows(picture: str, seen: set[str]) -> None:
    with Image.open(ASSETS / picture) as image:
        (description,) = DESCRIBER.describe([[image]])
    assert description.tags[0].name in seen
    assert description.text.startswith("Likely shows: ")
    assert description.tags[0].name in description.text


def test_a_picture_of_nothing_is_not_described() -> None:
    (description,) = DESCRIBER.describe([[Image.new("RGB", (640, 360), (90, 90, 90))]])
    assert (description.text, description.tags) == ("", ())


def test_a_batch_gives_what_single_calls_give_from_any_thread() -> None:
    classifier = ImageClassifier()
    images = [Image.open(ASSETS / name) for name in ("chelsea.jpg", "coffee.jpg", "camera.jpg")]
    for image in images:
        image.load()
    singles: dict[int, np.ndarray] = {}

    def classify(index: int) -> None:
        singles[index] = classifier.classify([images[index]])[0]

    threads = [threading.Thread(target=classify, args=(index,)) for index in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = classifier.classify(images)
    assert together.shape == (3, 1000)
    assert together.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-4)
    for index, row in enumerate(together):
        assert row == pytest.approx(singles[index], abs=1e-4)
    assert classifier.classify([]).shape == (0, 1000)


def test_classes_of_one_name_count_together() -> None:
    tags = select_tags(["missile", "pole", "missile"], np.array([0.12, 0.05, 0.11], np.float32))
    assert [(tag.name, round(tag.confidence, 2)) for tag in tags] == [("missile", 0.23)]
