"""The demo's step with people: a name, a photo, and the scenes in which the face is seen."""

import time
from pathlib import Path
from typing import Any

from demo import show
from demo.client import ApiError, Client

# The astronaut of the demo film, whose portrait NASA gives to everybody.
NAME = "Eileen Collins"
PHOTO = Path(__file__).with_name("assets") / "astronaut.jpg"
_MOVING = ("uploaded", "processing")
_PATIENCE_S = 120.0


def find_a_person(client: Client) -> None:
    """Add the person with the photo, wait until the face is known, and search by name."""
    if reason := client.get("/v1/faces")["reason"]:
        show.console.print(f"  {reason}", markup=False)
        return
    for person in client.get("/v1/persons?page_size=200")["results"]:
        if person["name"] == NAME:
            client.delete(f"/v1/persons/{person['id']}")
    person = client.post("/v1/persons", {"name": NAME})
    started = time.perf_counter()
    client.upload_photo(person["id"], PHOTO, "image/jpeg")
    photo = _settled(client, person["id"])
    show.console.print(
        f"  one photo of {NAME}: {photo['state']} after {time.perf_counter() - started:.1f} s {photo['error_text']}", markup=False
    )
    for query in (f"@{NAME}", f"@{NAME} he was cold and egoistic"):
        started = time.perf_counter()
        found = client.post("/v1/search", {"q": query})
        show.answer(query, found, 1000 * (time.perf_counter() - started))


def _settled(client: Client, person_id: str) -> dict[str, Any]:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        [photo] = client.get(f"/v1/persons/{person_id}/photos")["results"]
        if photo["state"] not in _MOVING:
            return dict(photo)
        time.sleep(0.1)
    raise ApiError(f"The photo was not looked at within {_PATIENCE_S:.0f} s.")
