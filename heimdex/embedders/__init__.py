"""Models behind one interface: texts or images in, L2-normalised float32 vectors out."""
