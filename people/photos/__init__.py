"""Process an uploaded photo: normalize it, check its quality, and retry or fail it."""
