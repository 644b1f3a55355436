"""The page of a video's search index, and the page that turns face recognition on or off."""
