"""`search_index`: the document of each scene's words in the search index. Without an index outside the database, it has nothing to do."""

from typing import Any

from videos.search.lexical.opensearch.index_schema import MAPPING_VERSION, build_document, build_index

# What an index holds. Its code is part of the step's digest.
_WRITTEN = (build_index, build_document)


class SearchIndexStep:
    """A step that computes no vectors, and so fills no space: its outcome is the document of a scene.

    Which backend searches words is part of the spec, and of no other step's fingerprint.
    """

    name = "search_index"
    order = 60
    # The version of the mapping: an index of another one is replaced.
    code_version = MAPPING_VERSION

    def describe(self) -> dict[str, Any]:
        """Return the step's part of the spec: everything but the installation's choice of backend."""
        return {"name": self.name, "code_version": self.code_version, "channels": [], "embedder": "", "params": {}}


INDEX_STEP = SearchIndexStep()
