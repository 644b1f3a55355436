"""bfloat16 where it pays: measured when a model is loaded, and refused where its vectors would differ."""

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

log = structlog.get_logger(__name__)

Model = TypeVar("Model", bound="torch.nn.Module")

# Vectors this close to float32's count as the same, so that the dtype is no part of an embedder's identity.
MIN_COSINE = 0.999
ROUNDS = 3


def load_fastest(load: Callable[[], Model], embed: Callable[[Model], NDArray[np.float32]], device: "torch.device") -> Model:
    """Load a model in bfloat16 if the device computes in it, a probe shows that it is faster, and its vectors stay the same.

    `embed` embeds a fixed probe, shape (n, dimensions), of any length. Otherwise the model stays in float32.
    """
    model = load()
    if not computes_bfloat16(device):
        return model
    exact, exact_s = _timed(model, embed)
    # Not autocast, which converts the weights at every call and on CPUs eats most of the gain.
    model.bfloat16()
    fast, fast_s = _timed(model, embed)
    cosine = lowest_cosine(exact, fast)
    chosen = cosine >= MIN_COSINE and fast_s < exact_s
    log.info("Measured bfloat16", chosen=chosen, times_as_fast=round(exact_s / fast_s, 2), lowest_cosine=round(cosine, 5))
    return model if chosen else load()


def computes_bfloat16(device: "torch.device") -> bool:
    """Tell whether the device has instructions for bfloat16; emulating it is slower than float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def lowest_cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """Return the lowest cosine between rows of the same place; 0 when a number is not finite."""
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = np.sum(left * right, axis=1) / lengths
    return float(np.nan_to_num(cosines, nan=0.0).min())


def _timed(model: Model, embed: Callable[[Model], NDArray[np.float32]]) -> tuple[NDArray[np.float32], float]:
    # The first call also chooses kernels and allocates; the fastest of the others is the least disturbed.
    vectors = embed(model)
    seconds = []
    for _ in range(ROUNDS):
        began = perf_counter()
        embed(model)
        seconds.append(perf_counter() - began)
    return vectors, min(seconds)
