"""A cheap password hasher: the suite creates thousands of users and logs in hundreds of times."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickHasher(Argon2PasswordHasher):
    """The service's hasher at its lowest cost; the service's processes can read its hashes."""

    time_cost, memory_cost, parallelism = 1, 8, 1
