"""The admin site opens to staff only: its URLs with ids, its forms and its actions reach no owner's data for anybody else."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client

from heimdex.accounts.models import User
from reprocess.actions.runs import CONTROLS
from reprocess.models import ReprocessRun
from tests.isolation import ADMIN_SITE, UrlRoute, as_user, create_two_owners, has_leak, iterate_admin_routes, list_ids, list_rows
from tests.planted import CANARY, filter_by_owner, list_owned_models
from videos.models import Video

LOGIN, LOGOUT = f"{ADMIN_SITE}login/", f"{ADMIN_SITE}logout/"
ACTIONS = ("reprocess_videos", "reprocess_owners", "delete_selected")


@pytest.fixture
def other_owner(db: None) -> User:
    """Return an owner whose texts all contain the canary, with a row in each model that has an owner."""
    return create_two_owners()[1]


def list_owned_admin_models() -> list[Any]:
    """Return the models of the admin site whose rows belong to users, and the users."""
    return [model for model in admin.site._registry if model in {User, *list_owned_models()}]


def find_row_id(model: Any, owner: User) -> Any:
    """Return the primary key of a row: one of the owner's where the model has owners, 1 where it has no row."""
    if model is User:
        return owner.pk
    rows = model._default_manager.filter(filter_by_owner(model, owner)) if model in list_owned_models() else model._default_manager.all()
    return rows.values_list("pk", flat=True).first() or 1


def fill_admin_route(route: UrlRoute, owner: User) -> Iterator[str]:
    """Yield the route's URLs with the owner's ids. A new kind of id fails here until it has its value."""
    values: dict[str, Any] = {}
    if model := re.match(rf"{ADMIN_SITE}(\w+)/(\w+)/", route.text):
        try:
            values["object_id"] = values["id"] = find_row_id(apps.get_model(*model.groups()), owner)
        except LookupError:
            values["object_id"] = Video.objects.filter(owner=owner).earliest("created_at").pk
    else:
        values |= {"content_type_id": ContentType.objects.get_for_model(Video).pk, "object_id": Video.objects.filter(owner=owner)[0].pk}
    values["source_id"] = owner.pk
    values["run_id"] = ReprocessRun.objects.filter(filter_by_owner(ReprocessRun, owner))[0].pk
    for name in CONTROLS if "name" in route.converters else [""]:
        yield route.text.format_map({**values, "name": name})


def list_admin_urls(owner: User) -> list[str]:
    """Return all URLs of the admin site with the owner's ids, and those of lists with queries."""
    urls = list(chain.from_iterable(fill_admin_route(route, owner) for route in iterate_admin_routes()))
    apps_shown = {f"{ADMIN_SITE}{model._meta.app_label}/" for model in admin.site._registry}
    searches = [f"{ADMIN_SITE}{model._meta.app_label}/{model._meta.model_name}/?q={CANARY}" for model in list_owned_admin_models()]
    video = Video.objects.filter(owner=owner).earliest("created_at").pk
    starts = [f"{ADMIN_SITE}reprocess/reprocessrun/start/?scope={scope}&id={pk}" for scope, pk in (("video", video), ("owner", owner.pk))]
    choices = f"{ADMIN_SITE}autocomplete/?app_label=videos&model_name=video&field_name=owner&term={CANARY}"
    return sorted({*urls, *apps_shown, *searches, *starts, choices} - {LOGIN, LOGOUT})


def send_form(client: Client, method: str, url: str, owner: User) -> Any:
    """Send a request, with the fields that admin forms and actions read, and roll back its changes."""
    rows = [str(find_row_id(model, owner)) for model in list_owned_admin_models()]
    fields = {"post": "yes", "_selected_action": rows, "title": "Taken", "name": "Taken", "scope": "owner", "id": str(owner.pk)}
    answers = []
    for action in ACTIONS if method == "post" and url.count("/") == 4 else ACTIONS[:1]:
        with transaction.atomic():
            answers.append(getattr(client, method)(url, {**fields, "action": action} if method == "post" else None))
            transaction.set_rollback(True)
    assert len({answer.status_code for answer in answers}) == 1
    return answers[0]


@pytest.mark.parametrize("email", ["", "nobody@example.org", "owner@example.org", "stranger@example.org"])
def test_no_url_of_the_admin_site_opens_to_a_user(other_owner: User, email: str) -> None:
    """As an anonymous, an ordinary user, another owner, and the owner of the rows."""
    User.objects.create_user("nobody@example.org", None)
    ids, before, runs = list_ids(other_owner), list_rows(other_owner), ReprocessRun.objects.count()
    client = as_user(email) if email else Client()
    urls = list_admin_urls(other_owner)
    assert len(urls) > 100

    for url in urls:
        for method in ("get", "post"):
            response = send_form(client, method, url, other_owner)
            assert response.status_code == 302, (method, url)
            assert response["Location"].startswith(LOGIN), (method, url)
            assert not has_leak(response, ids, url) or (CANARY in url and response.content == b""), (method, url)
    for url in (LOGIN, LOGOUT):
        assert not has_leak(client.get(url), ids)
    assert (list_rows(other_owner), ReprocessRun.objects.count()) == (before, runs)


def test_staff_without_permissions_see_no_rows_of_owners(other_owner: User) -> None:
    """They may start and control runs, as through the API, and see the spec; nothing else."""
    ids, before = list_ids(other_owner), list_rows(other_owner)
    staff = as_user("staff@example.org", is_staff=True)
    for model in list_owned_admin_models():
        base = f"{ADMIN_SITE}{model._meta.app_label}/{model._meta.model_name}/"
        for url in (
            url for url in list_admin_urls(other_owner) if url.startswith(base) and not url.startswith((f"{base}start", f"{base}control"))
        ):
            for method in ("get", "post"):
                response = send_form(staff, method, url, other_owner)
                # The short form of a change URL redirects to it.
                assert response.status_code == 403 or response["Location"] == f"{url}change/", (method, url)
                assert not has_leak(response, ids, url), (method, url)
    assert staff.get(f"{ADMIN_SITE}autocomplete/?app_label=videos&model_name=video&field_name=owner").status_code == 403
    assert list_rows(other_owner) == before


def test_a_superuser_reaches_what_others_do_not(other_owner: User) -> None:
    """Without this, the rejections above would prove nothing."""
    root = as_user("root@example.org", is_staff=True, is_superuser=True)
    shown = set()
    for model in list_owned_admin_models():
        base = f"{ADMIN_SITE}{model._meta.app_label}/{model._meta.model_name}/"
        for url in (base, f"{base}{find_row_id(model, other_owner)}/change/", f"{base}{find_row_id(model, other_owner)}/history/"):
            response = send_form(root, "get", url, other_owner)
            assert response.status_code == 200, url
            if CANARY.encode() in response.content:
                shown.add(model)
    assert {User, Video} < shown
    video = Video.objects.filter(owner=other_owner).earliest("created_at")
    deleted = root.post(f"{ADMIN_SITE}videos/video/{video.pk}/delete/", {"post": "yes"})
    assert (deleted.status_code, Video.objects.filter(pk=video.pk).exists()) == (302, False)
    assert send_form(root, "post", f"{ADMIN_SITE}reprocess/reprocessrun/start/", other_owner).status_code == 302
