"""`python -m bench.one_packing`: pack the vectors of large libraries in a separate process."""

import django

if __name__ == "__main__":
    django.setup()
    from videos.search.packing import pack_large_spaces

    pack_large_spaces()
