"""Passwords whose hashes cost next to nothing: the suite makes thousands of users and logs in hundreds of times."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickHasher(Argon2PasswordHasher):
    """The hasher of the service at its lowest cost; its hashes are read by the service's processes."""

    time_cost, memory_cost, parallelism = 1, 8, 1
