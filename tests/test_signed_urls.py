"""Signed URLs of local storage are bearer tokens: whoever holds one may do exactly what it says, until it expires, and nothing else."""

import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from heimdex.storage.tokens import DownloadGrant, UploadGrant
from tests.isolation import as_user, create_two_owners, has_leak, iterate_routes, list_ids, read_text, send
from tests.planted import find_ids
from videos.models import Video
from videos.storage_keys import get_owner_prefix

FILES = "/v1/files/"
LINK = re.compile(rf"{FILES}([\w.:-]+)")
BYTES = b"0123456789"
ANNOUNCEMENT = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(BYTES)}


@pytest.fixture
def owners(db: None) -> tuple[User, User]:
    """Return two owners with videos; the texts of the second contain the canary."""
    return create_two_owners()


def find_tokens(response: Any) -> list[str]:
    """Return the tokens of all signed URLs of an answer."""
    return LINK.findall(read_text(response))


def get_media_token(owner: User) -> str:
    """Return the token of a link that a search of the owner answers with, after storing a file there."""
    token = find_tokens(as_user(owner.email).get("/v1/search?q=boat"))[0]
    get_media_storage().save(DownloadGrant.from_token(token).key, owner.email.encode(), "image/jpeg")
    return token


def announce_upload(owner: User) -> tuple[str, str]:
    """Return the id of a new video of the owner, and the token of its upload URL."""
    answer = as_user(owner.email).post("/v1/videos/upload/init", ANNOUNCEMENT, content_type="application/json").json()
    return answer["video_id"], LINK.findall(answer["upload"]["url"])[0]


def put_file(client: Client, token: str) -> Any:
    """Send the bytes of an announced upload to a signed URL."""
    return client.put(FILES + token, BYTES, content_type="video/mp4")


def exchange_payload(token: str, **fields: Any) -> str:
    """Return a token with other fields and the signature of the original."""
    payload, signature = token.split(":", 1)
    assert not payload.startswith("."), "the payload is compressed"
    values = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert set(fields) <= set(values)
    return urlsafe_b64encode(json.dumps({**values, **fields}).encode()).decode().rstrip("=") + ":" + signature


def test_a_media_link_opens_its_file_for_whoever_holds_it(owners: tuple[User, User]) -> None:
    owner, other = owners
    token = get_media_token(other)
    for client in (as_user(other.email), as_user(owner.email), Client()):
        assert read_text(client.get(FILES + token)) == other.email
        assert put_file(client, token).status_code == 403
        assert client.delete(FILES + token).status_code == client.post(FILES + token).status_code == 405


def test_a_media_link_ends_when_it_expires_and_when_its_video_is_deleted(
    owners: tuple[User, User], django_capture_on_commit_callbacks: Any
) -> None:
    owner, other = owners
    grant = DownloadGrant.from_token(get_media_token(other))
    expired = replace(grant, expires=int(time.time()) - 1).sign()
    for client in (as_user(other.email), as_user(owner.email), Client()):
        response = client.get(FILES + expired)
        assert (response.status_code, response.json()["detail"]) == (403, "This download URL has expired. Request a new one.")

    assert Client().get(FILES + grant.sign()).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        for video in Video.objects.filter(owner=other):
            as_user(other.email).delete(f"/v1/videos/{video.pk}")
    assert Client().get(FILES + grant.sign()).status_code == 404


def test_a_changed_media_link_opens_nothing(owners: tuple[User, User]) -> None:
    owner, other = owners
    mine, theirs = get_media_token(owner), DownloadGrant.from_token(get_media_token(other))
    payload, *signature = mine.split(":")
    upload = UploadGrant(theirs.key, 1, "image/jpeg", theirs.expires)
    changed = {
        exchange_payload(mine, key=theirs.key),
        exchange_payload(mine, expires=theirs.expires + 3600),
        exchange_payload(mine, filename="film.html"),
        ":".join([theirs.sign().split(":")[0], *signature]),
        payload,
        ":".join([payload, signature[0], ""]),
        mine[:-1],
        upload.sign(),
        signing.dumps({"key": theirs.key, "filename": None, "expires": theirs.expires}, salt="another salt"),
        signing.dumps({"key": theirs.key, "filename": None, "expires": theirs.expires}, key="x" * 50, salt="heimdex.storage.read"),
    }
    ids = list_ids(other)
    for client in (as_user(owner.email), Client()):
        for token in changed:
            response = client.get(FILES + token)
            assert response.status_code == 403, token
            assert not has_leak(response, ids), token


def test_an_upload_url_fills_its_own_upload_and_gives_no_access(owners: tuple[User, User]) -> None:
    owner, other = owners
    video_id, token = announce_upload(other)
    client = as_user(owner.email)

    # A holder of the URL can send the announced bytes, and neither read, complete nor find the video.
    assert put_file(client, token).status_code == 200
    assert get_media_storage().size(UploadGrant.from_token(token).key) == len(BYTES)
    assert client.get(FILES + token).status_code == 403
    completion = {"video_id": video_id}
    assert client.post("/v1/videos/upload/complete", completion, content_type="application/json").status_code == 404
    assert client.get(f"/v1/videos/{video_id}").status_code == 404
    assert video_id not in read_text(client.get("/v1/videos"))
    assert Video.objects.get(pk=video_id).owner == other


def test_a_changed_upload_url_stores_nothing(owners: tuple[User, User]) -> None:
    owner, other = owners
    (_, mine), (_, theirs) = announce_upload(owner), announce_upload(other)
    key = UploadGrant.from_token(theirs).key
    original = Video.objects.filter(owner=other).earliest("created_at").original_key
    before = sorted(file.key for file in get_media_storage().list_files())
    changed = {
        exchange_payload(mine, key=key),
        exchange_payload(mine, key=original),
        exchange_payload(mine, size=len(BYTES) - 1),
        exchange_payload(mine, expires=int(time.time()) + 10**6),
        replace(UploadGrant.from_token(theirs), expires=int(time.time()) - 1).sign(),
        DownloadGrant(key, None, int(time.time()) + 60).sign(),
    }
    for client in (as_user(owner.email), Client()):
        for token in changed:
            assert put_file(client, token).status_code == 403, token
    assert sorted(file.key for file in get_media_storage().list_files()) == before


def test_every_signed_url_in_the_answers_to_an_owner_is_for_a_file_of_theirs(owners: tuple[User, User]) -> None:
    _, other = owners
    client, video = as_user(other.email), Video.objects.filter(owner=other).earliest("created_at")
    ids = find_ids(other, video)
    routes = set()
    for route in iterate_routes():
        words = route.text.strip("/").split("/")
        values = {word.strip("{}"): ids[before] for before, word in pairwise(words) if before in ids and "{" in word}
        if set(values) != set(route.converters):
            continue
        for query in ("", "?q=boat"):
            for token in find_tokens(send(client, "get", route.text.format_map(values) + query)):
                assert DownloadGrant.from_token(token).key.startswith(f"{get_owner_prefix(other.pk)}/"), route.text
                routes.add(route.text)
    assert {"/v1/search", "/search/", "/videos/{video_id}/", "/v1/videos/{pk}", "/"} <= routes
    assert UploadGrant.from_token(announce_upload(other)[1]).key.startswith(f"{get_owner_prefix(other.pk)}/")
