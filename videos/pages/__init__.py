"""The pages an owner uses: library, video, search."""
