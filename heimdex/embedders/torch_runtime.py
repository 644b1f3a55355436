"""Check for torch and make the libraries on top of it importable, whichever build of torch is installed."""

import threading
from importlib.util import find_spec

from heimdex.errors import ModelUnavailable

_importing = threading.Lock()


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
