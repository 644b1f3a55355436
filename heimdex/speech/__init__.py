"""Speech models behind one interface, and the rules that turn their output into timed words."""
