"""A video's summary is made of its own words."""

from heimdex.vision.summary import summarize_video


def test_it_tells_what_is_seen_and_said() -> None:
    summary = summarize_video(
        ["Mr. Dashwood had leisure to think about", "the estate of his father.", ""], ["", "", ""], ["cat", "cup", "cat"]
    )
    assert summary == "Likely shows: cat, cup. Mr. Dashwood had leisure to think about the estate of his father."


def test_a_long_video_keeps_its_central_sentences_in_order_within_the_budget() -> None:
    texts = [f"The harbour of sentence number {index} is full of boats again today." for index in range(200)]
    summary = summarize_video([*texts, "Zebra quagga okapi nyala entirely elsewhere."], [], [])
    assert 1500 < len(summary) <= 2000
    assert summary.startswith(texts[0])
    assert "okapi" not in summary
    assert summary == summarize_video([*texts, "Zebra quagga okapi nyala entirely elsewhere."], [], [])


def test_without_speech_and_tags_the_descriptions_stand_in() -> None:
    assert summarize_video(["", ""], ["A beach at dusk.", "A beach at dusk."], []) == "A beach at dusk."
    assert summarize_video([], [], []) == ""


def test_nothing_known_of_a_long_video_is_an_empty_summary() -> None:
    assert summarize_video(["", " \n "] * 500, [""] * 1000, []) == ""


def test_one_endless_sentence_is_cut_and_words_alone_are_kept() -> None:
    endless = "word " * 3000
    summary = summarize_video([endless], [], ["cat"])
    assert summary.startswith("Likely shows: cat. word word")
    assert len(summary) <= 500
    assert summarize_video(["Yes. No. Go."], [], []) == "Yes. No. Go."


def test_many_tags_leave_room_and_repeat_nothing() -> None:
    summary = summarize_video(
        ["A sentence that is long enough to be told."], [], ["cat", "cat", *(f"tag {number}" for number in range(30))]
    )
    assert summary.startswith("Likely shows: cat, tag 0, ")
    assert summary.count("cat") == 1
    assert "tag 7" not in summary
    assert summary.endswith("A sentence that is long enough to be told.")


def test_other_scripts_and_markup_are_text_like_any_other() -> None:
    said = "今日は港について話します。 船はとても大きいです。"
    assert summarize_video([said], [], []) == said
    assert summarize_video(["<script>alert(1)</script> is said here too."], [], []) == "<script>alert(1)</script> is said here too."


def test_a_sentence_across_a_cut_stays_whole() -> None:
    assert summarize_video(["This sentence begins in one scene", "and ends in the next one. Short."], [], []) == (
        "This sentence begins in one scene and ends in the next one."
    )
