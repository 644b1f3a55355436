"""Addresses of the pages."""

from django.urls import path

from people.pages.merge import merge
from people.pages.people import people_page
from people.pages.person import person_page
from people.pages.person_actions import archive, delete
from people.pages.photo_actions import remove_photo, retry
from people.pages.unknown import name_unknown, take_out, unknown_page

urlpatterns = [
    path("", people_page, name="people"),
    path("unknown/", unknown_page, name="unknown-faces"),
    path("unknown/<uuid:group_id>/name/", name_unknown, name="unknown-faces-name"),
    path("<uuid:person_id>/", person_page, name="person-page"),
    path("<uuid:person_id>/archive/", archive, name="person-page-archive"),
    path("<uuid:person_id>/merge/", merge, name="person-page-merge"),
    path("<uuid:person_id>/delete/", delete, name="person-page-delete"),
    path("<uuid:person_id>/faces/<uuid:face_id>/take-out/", take_out, name="face-page-take-out"),
    path("<uuid:person_id>/photos/<uuid:photo_id>/retry/", retry, name="photo-page-retry"),
    path("<uuid:person_id>/photos/<uuid:photo_id>/remove/", remove_photo, name="photo-page-remove"),
]
