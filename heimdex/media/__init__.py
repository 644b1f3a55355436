"""Read video, audio and photo files in a sandboxed process: probe, decode, and find scenes."""
