"""The words of scenes and videos, as the lexical backend on PostgreSQL looks them up. `videos.search.lexical` writes them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from videos.models.scene import Scene
from videos.models.video import Video


class SceneWords(models.Model):
    """The words of a scene by field: what is said, what is shown (description and tags), and what is visible on screen.

    Each lexeme begins with a key of the owner, so a lookup in the index, which all owners share, reads one owner's words only.
    """

    scene = models.OneToOneField(Scene, on_delete=models.CASCADE, primary_key=True, related_name="lexemes")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+", db_index=False)
    index = models.PositiveIntegerField(help_text="The scene's place in the video.")
    spoken = SearchVectorField()
    shown = SearchVectorField()
    on_screen = SearchVectorField()
    spoken_count = models.PositiveIntegerField(help_text="Number of words, repetitions included.")
    spoken_window = models.FloatField(default=0.0, help_text="Weighted number of words of this scene and those near it.")
    shown_count = models.PositiveIntegerField()
    on_screen_count = models.PositiveIntegerField()
    text_hash = models.CharField(max_length=32, help_text="MD5 of owner, languages and texts.")

    class Meta:
        verbose_name_plural = "scene words"
        indexes = (
            models.Index(fields=["video", "index"], name="scenewords_video_index"),
            GinIndex(fields=["spoken", "shown", "on_screen"], name="scenewords_lexemes"),
        )

    def __str__(self) -> str:
        return f"words of scene {self.pk}"


class VideoWords(models.Model):
    """The words of a video's title and description, and the languages of all its texts.

    With the row, the words of all scenes of the video were written too. `analysis_version` is that of the analysis.
    """

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="lexemes")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    title = SearchVectorField()
    description = SearchVectorField()
    # Sums over the video's scenes, so that the statistics of a library need not read every scene.
    spoken_scenes = models.PositiveIntegerField(help_text="Number of scenes with speech.")
    spoken_windows = models.FloatField(help_text="Sum of spoken_window over the scenes with speech.")
    shown_scenes = models.PositiveIntegerField(help_text="Number of scenes with a description or tags.")
    shown_words = models.PositiveIntegerField()
    on_screen_scenes = models.PositiveIntegerField(help_text="Number of scenes with on-screen text.")
    on_screen_words = models.PositiveIntegerField()
    text_hash = models.CharField(max_length=32, help_text="MD5 of owner, languages and texts.")
    languages = ArrayField(models.CharField(max_length=8), default=list, help_text="ISO 639-1 codes.")
    analysis_version = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "video words"
        indexes = (GinIndex(fields=["title", "description"], name="videowords_lexemes"),)

    def __str__(self) -> str:
        return f"words of video {self.pk}"


class OwnerWord(models.Model):
    """A word of letters in an owner's texts, or the stem of one: what mistyped words and parts of compounds are compared with.

    A text is a field of `SceneWords` or `VideoWords`. The counts change in the transaction that writes the text, and a row goes with the
    last text that holds its word.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    word = models.CharField(max_length=64)
    reversed = models.CharField(max_length=64, help_text="The word from its end, to look up endings.")
    word_count = models.PositiveIntegerField(default=0, db_default=0, help_text="Number of texts that hold it as a word.")
    stem_count = models.PositiveIntegerField(default=0, db_default=0, help_text="Number of texts that hold it as a stem.")

    class Meta:
        # These operator classes serve LIKE in every collation.
        constraints = (
            models.UniqueConstraint(fields=["owner", "word"], name="ownerword_word", opclasses=["uuid_ops", "varchar_pattern_ops"]),
        )
        indexes = (models.Index(fields=["owner", "reversed"], name="ownerword_reversed", opclasses=["uuid_ops", "varchar_pattern_ops"]),)

    def __str__(self) -> str:
        return self.word
