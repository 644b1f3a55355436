"""The embedding spec: the ordered steps with this installation's models, older specs, and the lock of the steps' code."""

from reprocess.spec.latest import LATEST_EMBEDDING_SPEC_VERSION, ConfiguredStep, EffectiveSpec, get_effective_spec, list_enabled_steps

__all__ = ["LATEST_EMBEDDING_SPEC_VERSION", "ConfiguredStep", "EffectiveSpec", "get_effective_spec", "list_enabled_steps"]
