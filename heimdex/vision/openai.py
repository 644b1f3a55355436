"""Descriptions by a vision model behind any server that speaks OpenAI's chat protocol with JSON schemas."""

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Literal

import structlog

from heimdex.embedders.errors import EmbedderError
from heimdex.embedders.patience import Patience
from heimdex.openai_server import OpenAIServer
from heimdex.vision.base import Describer, Description
from heimdex.vision.openai_answers import INSTRUCTIONS, Seen, described, read, schema
from heimdex.vision.openai_budget import DailyBudget
from heimdex.vision.tags import TagDescriber

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionContentPartImageParam
    from PIL import Image

log = structlog.get_logger(__name__)

PATIENCE = Patience(tries=6, total_s=180.0, timeout_s=60.0)
# Raised when what the model is shown or asked changes, so that its answers do.
_VERSION = 2
# A model that does not keep to the schema twice will not the third time.
_TRIES_FOR_THE_FORM = 2
_LONGEST_SIDE = 768
_MOST_TOKENS = 700


class OpenAIDescriber(Describer):
    """Ask through the official client: `concurrency` scenes at once, at most `pictures_a_day` by each worker process.

    A scene beyond the budget, or one that the model refuses or answers in another form than the schema's, gets the classifier's tags.
    What fails in passing is repeated; after `breaker_after` failed calls in a row nothing more is sent for a while, and
    EmbedderUnavailable says why.
    """

    # The second is what differs most from the first; a third would cost as much and say less.
    most_pictures: ClassVar[int] = 2

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
        self._server = OpenAIServer(
            model,
            base_url=base_url,
            api_key=api_key,
            inputs="the pictures of this scene",
            wanted="chat completion",
            breaker_after=breaker_after,
        )

    @property
    def identity(self) -> str:
        """Name the model and how it is asked; the server's address is no part of it, so that a server can move."""
        return f"openai/{self._model}/{_VERSION}"

    def check(self) -> list[str]:
        """Return what keeps the model, or the classifier beside it, from working; asks the server for its list of models."""
        return [*self._server.check(), *self._tags.check()]

    def describe(self, scenes: "Sequence[Sequence[Image.Image]]") -> list[Description]:
        """Describe each scene by its first two pictures; EmbedderUnavailable with the fix in its text when the server cannot be used."""
        if not scenes:
            return []
        with ThreadPoolExecutor(min(self._concurrency, len(scenes)), thread_name_prefix="describing") as pool:
            answers = list(pool.map(self._asked, scenes))
        tagged = iter(self._tags.describe([pictures for seen, pictures in zip(answers, scenes, strict=True) if seen is None]))
        return [described(seen) if seen else next(tagged) for seen in answers]

    def _asked(self, images: "Sequence[Image.Image]") -> Seen | None:
        pictures = [data_url(image) for image in images[: self.most_pictures]]
        for _ in range(_TRIES_FOR_THE_FORM):
            if not self._budget.grant(len(pictures)):
                log.warning("The day's budget of pictures is used up: this scene gets the classifier's tags", model=self._model)
                return None
            try:
                content = self._server.call(lambda client, timeout_s: self._send(client, pictures, timeout_s), PATIENCE)
            except EmbedderError as refusal:
                log.warning("A scene's pictures were refused: it gets the classifier's tags", reason=str(refusal))
                return None
            if seen := read(content):
                return seen
        log.warning("A description was not of the form that was asked for: the scene gets the classifier's tags", model=self._model)
        return None

    def _send(self, client: "OpenAI", pictures: list[str], timeout_s: float) -> str | None:
        shown: list[ChatCompletionContentPartImageParam] = [
            {"type": "image_url", "image_url": {"url": picture, "detail": self._detail}} for picture in pictures
        ]
        answer = client.chat.completions.create(
            model=self._model,
            messages=[
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": shown},
            ],
            response_format={"type": "json_schema", "json_schema": {"name": "seen", "strict": True, "schema": schema()}},
            max_tokens=_MOST_TOKENS,
            temperature=0.0,
            timeout=timeout_s,
        )
        if not answer.choices:
            raise ValueError("no choices")
        return answer.choices[0].message.content


def data_url(image: "Image.Image") -> str:
    """Return a picture as a JPEG within a data URL, no side longer than 768 pixels."""
    small = image.convert("RGB")
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
