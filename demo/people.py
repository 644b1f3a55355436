"""The people part of the demo: add two people with a photo each, and find the scenes that show their faces."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import show
from demo.client import ApiError, Client
from demo.film import ASSETS

_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class DemoPerson:
    """A person in the demo film. The asset `image` is filmed, and also uploaded as the photo."""

    name: str
    image: str

    @property
    def photo(self) -> Path:
        """The image file."""
        return ASSETS / self.image


# Both portraits are works of the United States government and in the public domain.
PEOPLE = (DemoPerson("Eileen Collins", "astronaut.jpg"), DemoPerson("Grace Hopper", "grace_hopper.jpg"))
_SEARCHES = (*(f"@{person.name}" for person in PEOPLE), f"@{PEOPLE[0].name} he was cold and egoistic")


def find_people(client: Client) -> None:
    """Add the people with their photos, wait until they are recognized, and search by their names."""
    if reason := client.get("/v1/faces")["reason"]:
        show.console.print(f"  {reason}", markup=False)
        return
    _delete_earlier(client)
    started = time.perf_counter()
    added = {person: add_person(client, person) for person in PEOPLE}
    for person, person_id in added.items():
        photo = wait_for_photo(client, person_id)
        result = f"{photo['state']} after {time.perf_counter() - started:.1f} s {photo['error_text']}"
        show.console.print(f"  one photo of {person.name}: {result.rstrip()}", markup=False)
    for query in _SEARCHES:
        started = time.perf_counter()
        answer = client.post("/v1/search", {"q": query})
        show.print_search_results(query, answer, 1000 * (time.perf_counter() - started))


def add_person(client: Client, person: DemoPerson) -> str:
    """Add a person with the photo and return the person's id. Heimdex starts to look for the face."""
    person_id = str(client.post("/v1/persons", {"name": person.name})["id"])
    client.upload_photo(person_id, person.photo, "image/jpeg")
    return person_id


def wait_for_photo(client: Client, person_id: str) -> dict[str, Any]:
    """Wait until the person is recognized by the photo or the photo has failed, and return the photo.

    Raise ApiError after two minutes.
    """
    until = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < until:
        [photo] = client.get(f"/v1/persons/{person_id}/photos")["results"]
        # A photo becomes ready shortly before it is matched with faces in scenes.
        if photo["state"] == "failed" or client.get(f"/v1/persons/{person_id}/faces")["results"]:
            return dict(photo)
        time.sleep(0.1)
    raise ApiError(f"The photo matched no face within {_TIMEOUT_S:.0f} s.")


def _delete_earlier(client: Client) -> None:
    names = {person.name for person in PEOPLE}
    for row in client.get("/v1/persons?page_size=200")["results"]:
        if row["name"] in names:
            client.delete(f"/v1/persons/{row['id']}")
