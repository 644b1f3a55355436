"""Vision models behind one interface each, and the rules that turn their output and a video's words into text."""
