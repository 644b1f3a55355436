"""A video's summary is made of its own words."""

from heimdex.vision.summary import summarise_video


def test_it_tells_what_is_seen_and_said() -> None:
    summary = summarise_video(
        ["Mr. Dashwood had leisure to think about", "the estate of his father.", ""], ["", "", ""], ["cat", "cup", "cat"]
    )
    assert summary == "Likely shows: cat, cup. Mr. Dashwood had leisure to think about the estate of his father."


def test_a_long_video_keeps_its_central_sentences_in_order_within_the_budget() -> None:
    texts = [f"The harbour of sentence number {index} is full of boats again today." for index in range(200)]
    summary = summarise_video([*texts, "Zebra quagga okapi nyala entirely elsewhere."], [], [])
    assert 1500 < len(summary) <= 2000
    assert summary.startswith(texts[0])
    assert "okapi" not in summary
    assert summary == summarise_video([*texts, "Zebra quagga okapi nyala entirely elsewhere."], [], [])


def test_without_speech_and_tags_the_descriptions_stand_in() -> None:
    assert summarise_video(["", ""], ["A beach at dusk.", "A beach at dusk."], []) == "A beach at dusk."
    assert summarise_video([], [], []) == ""
