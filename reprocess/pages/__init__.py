"""The page on which an owner sees and renews the search data of a video; the video's own page shows it as a part."""
