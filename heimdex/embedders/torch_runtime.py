"""Make torch and the libraries on top of it importable, and use bfloat16 where it is faster and gives the same vectors."""

import threading
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from heimdex.errors import ModelUnavailable

if TYPE_CHECKING:
    import torch

_importing = threading.Lock()
log = structlog.get_logger(__name__)
Model = TypeVar("Model", bound="torch.nn.Module")
# Vectors this close to those of float32 count as equal, so that the dtype is not part of an embedder's identity.
MIN_COSINE = 0.999
ROUNDS = 3


def check_packages(*modules: str) -> list[str]:
    """Return a problem with its fix if any of the modules is not installed. Import none of them."""
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return []
    return [
        f"The Python modules {', '.join(missing)} are not installed: install requirements/torch.txt and requirements/worker.txt, "
        "or choose a model that needs neither (HEIMDEX_PROFILE, HEIMDEX_MODELS)."
    ]


def require_packages(*modules: str) -> None:
    """Raise ModelUnavailable if any of the modules is not installed. Then import torchvision."""
    problems = check_packages(*modules)
    if problems:
        raise ModelUnavailable(problems[0])
    import_torchvision()


def import_torchvision() -> None:
    """Import torchvision, if it is installed, so that open_clip and transformers can be imported.

    PyPI's torchvision is built for CUDA. With a CPU build of torch its C++ operators do not load, and its import fails with
    `operator torchvision::nms does not exist`. In that case only, declare the two operators that it requires; no model calls them.
    """
    with _importing:
        if find_spec("torchvision") is None:
            return
        try:
            import torchvision
        except RuntimeError as error:
            if "torchvision::nms" not in str(error):
                raise
            import torch

            for operator in ("nms", "qnms"):
                torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            import torchvision  # noqa: F401


def load_fastest(load: Callable[[], Model], embed: Callable[[Model], NDArray[np.float32]], device: "torch.device") -> Model:
    """Load a model in bfloat16 if the device supports it, a probe is faster, and the probe's vectors stay the same; else in float32.

    `embed` returns the vectors of a fixed probe: shape (n, dimensions), of any length.
    """
    model = load()
    if not supports_bfloat16(device):
        return model
    float32_vectors, float32_s = _measure(model, embed)
    # Not autocast, which converts the weights at every call and loses most of the gain on CPUs.
    model.bfloat16()
    bfloat16_vectors, bfloat16_s = _measure(model, embed)
    cosine = compute_lowest_cosine(float32_vectors, bfloat16_vectors)
    chosen = cosine >= MIN_COSINE and bfloat16_s < float32_s
    log.info("Measured bfloat16", chosen=chosen, times_as_fast=round(float32_s / bfloat16_s, 2), lowest_cosine=round(cosine, 5))
    return model if chosen else load()


def supports_bfloat16(device: "torch.device") -> bool:
    """Return whether the device has instructions for bfloat16. Emulation is slower than float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def compute_lowest_cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """Return the lowest cosine between rows at the same position, or 0 when a number is not finite."""
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = np.sum(left * right, axis=1) / lengths
    return float(np.nan_to_num(cosines, nan=0.0).min())


def _measure(model: Model, embed: Callable[[Model], NDArray[np.float32]]) -> tuple[NDArray[np.float32], float]:
    # The first call also selects kernels and allocates memory, so it is not timed. The fastest of the others is the least disturbed.
    vectors = embed(model)
    seconds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        embed(model)
        seconds.append(perf_counter() - started)
    return vectors, min(seconds)
