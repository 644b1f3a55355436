"""The demo's step with people: names, a photo each, and the scenes in which the faces are seen."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import show
from demo.client import ApiError, Client
from demo.film import ASSETS

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class KnownPerson:
    """Somebody in the demo film: the picture of that name among the assets is filmed, and is the photo to look for."""

    name: str
    picture: str

    @property
    def photo(self) -> Path:
        """The file of the picture."""
        return ASSETS / self.picture


# Both portraits are works of the government of the United States, which gives them to everybody.
PEOPLE = (KnownPerson("Eileen Collins", "astronaut.jpg"), KnownPerson("Grace Hopper", "grace_hopper.jpg"))
_SEARCHES = (*(f"@{known.name}" for known in PEOPLE), f"@{PEOPLE[0].name} he was cold and egoistic")


def find_people(client: Client) -> None:
    """Add the people with their photos, wait until they are found, and search by their names."""
    if reason := client.get("/v1/faces")["reason"]:
        show.console.print(f"  {reason}", markup=False)
        return
    _remove_earlier(client)
    started = time.perf_counter()
    added = {known: add_person(client, known) for known in PEOPLE}
    for known, person_id in added.items():
        photo = await_photo(client, person_id)
        came_to = f"{photo['state']} after {time.perf_counter() - started:.1f} s {photo['error_text']}"
        show.console.print(f"  one photo of {known.name}: {came_to.rstrip()}", markup=False)
    for query in _SEARCHES:
        started = time.perf_counter()
        found = client.post("/v1/search", {"q": query})
        show.answer(query, found, 1000 * (time.perf_counter() - started))


def add_person(client: Client, known: KnownPerson) -> str:
    """Add one of them with the photo, which is looked at from now on; return the person's id."""
    person_id = str(client.post("/v1/persons", {"name": known.name})["id"])
    client.upload_photo(person_id, known.photo, "image/jpeg")
    return person_id


def await_photo(client: Client, person_id: str) -> dict[str, Any]:
    """Wait until a person is found by the photo, or the photo has failed, and return the photo; ApiError when it takes too long."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        [photo] = client.get(f"/v1/persons/{person_id}/photos")["results"]
        # A photo is ready a moment before it has been compared with the faces in the scenes.
        if photo["state"] == "failed" or client.get(f"/v1/persons/{person_id}/faces")["results"]:
            return dict(photo)
        time.sleep(0.1)
    raise ApiError(f"Nobody was found by the photo within {_PATIENCE_S:.0f} s.")


def _remove_earlier(client: Client) -> None:
    names = {known.name for known in PEOPLE}
    for person in client.get("/v1/persons?page_size=200")["results"]:
        if person["name"] in names:
            client.delete(f"/v1/persons/{person['id']}")
