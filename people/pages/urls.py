"""Addresses of the pages."""

from django.urls import path

from people.pages.people import people_page
from people.pages.person import person_page
from people.pages.person_actions import archive, delete
from people.pages.photo_actions import remove_photo, retry

urlpatterns = [
    path("", people_page, name="people"),
    path("<uuid:person_id>/", person_page, name="person-page"),
    path("<uuid:person_id>/archive/", archive, name="person-page-archive"),
    path("<uuid:person_id>/delete/", delete, name="person-page-delete"),
    path("<uuid:person_id>/photos/<uuid:photo_id>/retry/", retry, name="photo-page-retry"),
    path("<uuid:person_id>/photos/<uuid:photo_id>/remove/", remove_photo, name="photo-page-remove"),
]
