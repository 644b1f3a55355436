"""The packaged classifier recognizes known content of images."""

import threading

import numpy as np
import pytest
from PIL import Image

from demo.film import ASSETS
from heimdex.vision.base import Description, Tag
from heimdex.vision.classifier import ImageClassifier
from heimdex.vision.tags import TagDescriber, build_description, select_tags

DESCRIBER = TagDescriber()


@pytest.mark.parametrize(
    ("file", "seen"),
    [
        ("chelsea.jpg", {"Egyptian Mau", "tabby cat", "tiger cat"}),
        ("coffee.jpg", {"espresso"}),
        ("rocket.jpg", {"missile"}),
        ("camera.jpg", {"tripod"}),
    ],
)
def test_an_image_is_tagged_with_what_it_shows(file: str, seen: set[str]) -> None:
    with Image.open(ASSETS / file) as image:
        (description,) = DESCRIBER.describe([[image]])
    assert description.tags[0].name in seen
    assert description.text.startswith("Likely shows: ")
    assert description.tags[0].name in description.text


def test_an_image_of_nothing_is_not_described() -> None:
    (description,) = DESCRIBER.describe([[Image.new("RGB", (640, 360), (90, 90, 90))]])
    assert (description.text, description.tags) == ("", ())


def test_batches_and_single_calls_agree_in_every_thread() -> None:
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


@pytest.mark.parametrize(("top", "count"), [(0.15, 1), (0.149, 0), (0.2, 1)])
def test_the_likeliest_class_needs_a_share_of_15_percent(top: float, count: int) -> None:
    assert len(select_tags(["cat", "cup"], np.array([top, 0.05]))) == count


@pytest.mark.parametrize(("share", "count"), [(0.1, 2), (0.099, 1), (0.11, 2)])
def test_further_tags_need_a_tenth(share: float, count: int) -> None:
    assert len(select_tags(["cat", "cup"], np.array([0.5, share]))) == count


def test_five_tags_are_selected_the_likeliest_first() -> None:
    shares = [0.12, 0.2, 0.13, 0.11, 0.14, 0.15, 0.15]
    tags = select_tags([f"class {number}" for number in range(7)], np.array(shares))
    assert [tag.name for tag in tags] == ["class 1", "class 5", "class 6", "class 4", "class 2"]


def test_no_confidence_exceeds_one() -> None:
    (tag,) = select_tags(["missile", "missile"], np.array([0.6, 0.41]))
    assert tag.confidence == 1.0
    assert select_tags([], np.array([])) == ()


def test_tags_become_a_sentence() -> None:
    assert build_description((Tag("cat", 0.5), Tag("cup", 0.2))).text == "Likely shows: cat, cup."
    assert build_description(()) == Description("", ())
