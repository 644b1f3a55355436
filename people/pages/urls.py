"""URLs of the pages under /people/."""

from django.urls import path

from people.pages.actions import archive, delete, merge, remove_photo, retry
from people.pages.people import people_page, person_page
from people.pages.unnamed import name_unnamed_group, reject_face, unnamed_page

urlpatterns = [
    path("", people_page, name="people"),
    path("unknown/", unnamed_page, name="unnamed-faces"),
    path("unknown/<uuid:group_id>/name/", name_unnamed_group, name="name-unnamed-group"),
    path("<uuid:person_id>/", person_page, name="person-page"),
    path("<uuid:person_id>/archive/", archive, name="person-page-archive"),
    path("<uuid:person_id>/merge/", merge, name="person-page-merge"),
    path("<uuid:person_id>/delete/", delete, name="person-page-delete"),
    path("<uuid:person_id>/faces/<uuid:face_id>/take-out/", reject_face, name="face-page-reject"),
    path("<uuid:person_id>/photos/<uuid:photo_id>/retry/", retry, name="photo-page-retry"),
    path("<uuid:person_id>/photos/<uuid:photo_id>/remove/", remove_photo, name="photo-page-remove"),
]
