"""Makes the libraries on top of torch importable, whichever build of torch is installed."""

import threading
from importlib.util import find_spec

from heimdex.embedders.errors import EmbedderUnavailable

_importing = threading.Lock()


def missing_packages(*modules: str) -> list[str]:
    """Return one sentence with the fix if any of the modules is not installed; imports none of them."""
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return []
    return [
        f"The Python modules {', '.join(missing)} are not installed: install requirements/torch.txt and requirements/worker.txt, "
        "or choose a model that needs neither (HEIMDEX_PROFILE, HEIMDEX_MODELS)."
    ]


def require(*modules: str) -> None:
    """Raise EmbedderUnavailable if any of the modules is not installed, then make torchvision importable."""
    problems = missing_packages(*modules)
    if problems:
        raise EmbedderUnavailable(problems[0])
    import_torchvision()


def import_torchvision() -> None:
    """Import torchvision, beside which open_clip and transformers can be imported; does nothing without it.

    The torchvision of PyPI is built for CUDA: beside a CPU build of torch its C++ operators do not load, and its import ends with
    `operator torchvision::nms does not exist`. Only then are the two operators declared that it insists on; no model calls them.
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
