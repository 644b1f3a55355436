"""What an owner can do with a video, one use case a file; API, pages and commands all call these."""
