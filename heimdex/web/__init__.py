"""The web server: requests are read and answered by an event loop, and handled by Django on a fixed number of threads."""
