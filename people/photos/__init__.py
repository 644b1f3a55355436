"""From a photo that arrived to one that a person can be recognised by."""
