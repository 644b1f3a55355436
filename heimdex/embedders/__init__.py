"""Models behind one interface: texts or images in, L2-normalized float32 vectors out."""
