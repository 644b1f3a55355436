"""Find faces in images and embed them."""
