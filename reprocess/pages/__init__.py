"""The pages of search data (a video's own page shows them as a part) and of the switch for faces."""
