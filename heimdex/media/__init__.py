"""Read video, sound and photo files: probe, decode, find scenes, and do it in a sandboxed process."""
