"""The transfer of a library to another owner: what stands in its way, its rows and its files."""
