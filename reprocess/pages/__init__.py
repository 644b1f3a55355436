"""The page of a video's search data, which the video page embeds, and the page that turns face recognition on or off."""
