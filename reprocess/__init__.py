"""The versioned embedding pipeline: what "the latest embeddings" are, and bringing a library to it."""
