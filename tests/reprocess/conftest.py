"""The library and the models of trials: those of cutovers."""

from tests.reprocess.cutover.conftest import change_model, judgments, learn_synonyms, owner

__all__ = ["change_model", "judgments", "learn_synonyms", "owner"]
