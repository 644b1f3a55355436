"""Search for scenes: lexical and vector channels, fused by rank."""
