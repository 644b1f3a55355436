"""Describe scenes with a vision model at any server that speaks OpenAI's chat protocol with JSON schemas."""

import base64
import io
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

import structlog

from heimdex.errors import InputBreaksServer, ModelInputError
from heimdex.openai.client import ModelClient
from heimdex.openai.retry import RetryPolicy
from heimdex.vision.base import Describer, Description
from heimdex.vision.openai_schema import INSTRUCTIONS, SceneAnswer, build_description, build_schema, parse_answer
from heimdex.vision.tags import TagDescriber

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionContentPartImageParam
    from PIL import Image

log = structlog.get_logger(__name__)

RETRIES = RetryPolicy(attempts=6, total_s=180.0, timeout_s=60.0)
# Raise it when the images or the prompt change, because the answers then change too.
_VERSION = 2
# A model that violates the schema twice will do so the third time.
_SCHEMA_ATTEMPTS = 2
_LONGEST_SIDE = 768
_MAX_TOKENS = 700
_DAY_S = 24 * 3600.0


class DailyBudget:
    """Grant at most `limit` units in any 24 hours to the threads of this process."""

    def __init__(self, limit: int, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._granted_at: deque[float] = deque()
        self._counting = threading.Lock()

    def grant(self, units: int) -> bool:
        """Take `units` from the budget. Return False and take nothing when fewer remain."""
        with self._counting:
            time_s = self._clock()
            while self._granted_at and self._granted_at[0] <= time_s - _DAY_S:
                self._granted_at.popleft()
            if len(self._granted_at) + units > self._limit:
                return False
            self._granted_at.extend([time_s] * units)
            return True


class OpenAIDescriber(Describer):
    """Describe through the official client: `concurrency` parallel calls, at most `pictures_a_day` images per worker process.

    A scene gets the classifier's tags when it exceeds the budget, when the model rejects it, when the server fails on it and on no other,
    or when the answer violates the schema.
    Transient errors are retried. After `breaker_after` failed calls in a row nothing is sent for a while, and ModelUnavailable states
    the reason.
    """

    # The second image differs most from the first. A third would add less for the same cost.
    max_images: ClassVar[int] = 2

    def __init__(
        self,
        model: str = "gpt-4o-mini",
        base_url: str = "",
        api_key: str = "",
        detail: Literal["low", "high", "auto"] = "low",
        concurrency: int = 4,
        pictures_a_day: int = 10_000,
        breaker_after: int = 10,
    ) -> None:
        self._model = model
        self._detail = detail
        self._concurrency = concurrency
        self._budget = DailyBudget(pictures_a_day)
        self._tags = TagDescriber()
        self._client = ModelClient(
            model,
            base_url=base_url,
            api_key=api_key,
            inputs="the images of this scene",
            expected="chat completion",
            breaker_after=breaker_after,
        )

    @property
    def identity(self) -> str:
        """Identify the model and the prompt. The server's URL is not part of the identity, so that a server can move."""
        return f"openai/{self._model}/{_VERSION}"

    def check(self) -> list[str]:
        """Return what keeps the model or the fallback classifier from working. Request the server's list of models."""
        return [*self._client.check(), *self._tags.check()]

    def describe(self, scenes: "Sequence[Sequence[Image.Image]]") -> list[Description]:
        """Describe each scene by its first two images. Raise ModelUnavailable with the fix when the server cannot be used."""
        if not scenes:
            return []
        with ThreadPoolExecutor(min(self._concurrency, len(scenes)), thread_name_prefix="describing") as pool:
            answers = list(pool.map(self._request, scenes))
        fallback = iter(self._tags.describe([images for answer, images in zip(answers, scenes, strict=True) if answer is None]))
        return [build_description(answer) if answer else next(fallback) for answer in answers]

    def _request(self, images: "Sequence[Image.Image]") -> SceneAnswer | None:
        urls = [encode_data_url(image) for image in images[: self.max_images]]
        for _ in range(_SCHEMA_ATTEMPTS):
            if not self._budget.grant(len(urls)):
                log.warning("Used up the daily image budget: the scene gets the classifier's tags", model=self._model)
                return None
            try:
                content = self._client.call_for_input(
                    lambda client, timeout_s: self._send(client, urls, timeout_s),
                    lambda client, timeout_s: self._send(client, [_draw_harmless()], timeout_s),
                    RETRIES,
                )
            except InputBreaksServer as error:
                log.warning("The server fails on a scene's images: the scene gets the classifier's tags", reason=str(error))
                return None
            except ModelInputError as rejection:
                log.warning("The model rejected a scene's images: the scene gets the classifier's tags", reason=str(rejection))
                return None
            if answer := parse_answer(content):
                return answer
        log.warning("An answer violated the schema: the scene gets the classifier's tags", model=self._model)
        return None

    def _send(self, client: "OpenAI", urls: list[str], timeout_s: float) -> str | None:
        images: list[ChatCompletionContentPartImageParam] = [
            {"type": "image_url", "image_url": {"url": url, "detail": self._detail}} for url in urls
        ]
        answer = client.chat.completions.create(
            model=self._model,
            messages=[
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": images},
            ],
            response_format={"type": "json_schema", "json_schema": {"name": "seen", "strict": True, "schema": build_schema()}},
            max_tokens=_MAX_TOKENS,
            temperature=0.0,
            timeout=timeout_s,
        )
        if not answer.choices:
            raise ValueError("no choices")
        return answer.choices[0].message.content


def _draw_harmless() -> str:
    from PIL import Image

    return encode_data_url(Image.new("RGB", (256, 256), "gray"))


def encode_data_url(image: "Image.Image") -> str:
    """Return an image as a JPEG in a data URL, with no side longer than 768 pixels."""
    small = image.convert("RGB")
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
