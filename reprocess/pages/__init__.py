"""The page of a video's search index, which the video page embeds, and the page that turns face recognition on or off."""
