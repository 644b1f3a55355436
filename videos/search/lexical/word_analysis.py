"""Analyze the texts of one video and its scenes into rows of words. Nothing is written here."""

from typing import Any
from uuid import UUID

from heimdex.text_analysis import ANALYSIS_VERSION, Token, analyze_text, detect_language, normalize_code
from videos.models import Scene, SceneWords, Video, VideoWords
from videos.search.lexical.lexemes import compose_vector, get_owner_key

# The language of tags, whatever is spoken.
_TAGS = "en"


class VideoAnalyzer:
    """Analyzes the texts of a video whose spoken language is known, and collects their languages."""

    def __init__(self, video: Video, spoken_language: str) -> None:
        self._video = video
        self._spoken = spoken_language
        # The video's owner, who decides in case of doubt.
        self._key = get_owner_key(video.owner_id)
        self.languages: set[str] = set()

    @property
    def owner_id(self) -> UUID:
        """The owner of the words."""
        return self._video.owner_id

    def build_scene_words(self, scene: Scene, text_hash: str) -> SceneWords:
        """Return the row of a scene's words."""
        spoken = self._analyze(scene.transcript, self._spoken)
        shown = self._analyze(scene.visual_text, detect_language(scene.visual_text, (_TAGS, self._spoken)))
        on_screen = self._analyze(scene.on_screen_text, self._detect(scene.on_screen_text))
        return SceneWords(
            scene=scene,
            owner_id=self.owner_id,
            video=self._video,
            index=scene.index,
            spoken=compose_vector(self._key, spoken),
            shown=compose_vector(self._key, shown),
            on_screen=compose_vector(self._key, on_screen),
            spoken_count=len(spoken),
            shown_count=len(shown),
            on_screen_count=len(on_screen),
            text_hash=text_hash,
        )

    def build_video_words(self, text_hash: str, **sums: Any) -> VideoWords:
        """Return the row of the video's words, with sums over its scenes. Call it after the scenes were analyzed."""
        title = self._analyze(self._video.title, self._detect(self._video.title))
        description = self._analyze(self._video.description, self._detect(self._video.description))
        return VideoWords(
            video=self._video,
            owner_id=self.owner_id,
            title=compose_vector(self._key, title),
            description=compose_vector(self._key, description),
            languages=sorted(self.languages),
            text_hash=text_hash,
            analysis_version=ANALYSIS_VERSION,
            **sums,
        )

    def _detect(self, text: str) -> str:
        return detect_language(text, (self._spoken, _TAGS))

    def _analyze(self, text: str, language: str) -> list[Token]:
        tokens = analyze_text(text, language) if text else []
        if tokens:
            self.languages.add(normalize_code(language))
        return tokens
