"""Search over scenes: lexical and vector channels, fused by rank."""
