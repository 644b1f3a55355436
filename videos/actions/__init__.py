"""What an owner can do with videos. The API, the pages and the commands call these functions."""
