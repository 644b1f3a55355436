"""Which words are believed, whole, and in which scene."""

from heimdex.speech.base import Segment, Transcript, Word
from heimdex.speech.gates import Confidence, believable, repeats
from heimdex.speech.pieces import whole_words
from heimdex.speech.scenes import text_between


def test_a_word_across_a_cut_belongs_to_the_scene_of_its_middle() -> None:
    words = (Word(0.0, 0.9, "one", 1), Word(0.9, 1.4, "two", 1), Word(1.4, 2.0, "three", 1))
    transcript = Transcript("en", (Segment(0, 2, "one two three", words),))
    assert text_between(transcript, 0, 1) == "one"
    assert text_between(transcript, 1, 2) == "two three"


def test_a_hyphenated_word_is_one_word() -> None:
    words = whole_words([Word(0, 1, " ill", 0.9), Word(1, 2, "-disposed.", 0.5), Word(2, 3, " man", 1)])
    assert [word.text for word in words] == ["ill-disposed.", "man"]
    assert (words[0].end_s, words[0].probability) == (2, 0.5)


def test_what_a_model_invents_is_not_believed() -> None:
    assert believable(Confidence("He said so.", 0.1, -0.3, 1.2))
    assert believable(Confidence("He said so.", 0.9, -0.3, 1.2))
    assert not believable(Confidence("Thank you.", 0.9, -0.9, 1.0))
    assert not believable(Confidence("la la la la", 0.1, -0.3, 3.0))
    assert not believable(Confidence("He said so.", 0.1, -1.2, 1.2))
    assert not believable(Confidence(" ♪ ... ", 0.0, -0.1, 1.0))


def test_a_sentence_said_a_third_time_in_a_row_is_a_stutter() -> None:
    assert not repeats(["Yes."], "Yes.")
    assert repeats(["Yes.", "yes."], "YES.")
    assert not repeats(["Yes.", "No."], "Yes.")
