"""Addresses under /v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from people.api.persons import PersonViewSet
from people.api.photos import CompletePhotoView, PhotosView, PhotoView, RetryPhotoView, UploadUrlView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("persons", PersonViewSet, basename="person")

urlpatterns = [
    path("persons/<uuid:pk>/photos", PhotosView.as_view(), name="person-photos"),
    path("persons/<uuid:pk>/photos/upload-url", UploadUrlView.as_view(), name="person-photo-upload"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>", PhotoView.as_view(), name="person-photo"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>/complete", CompletePhotoView.as_view(), name="person-photo-complete"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>/retry", RetryPhotoView.as_view(), name="person-photo-retry"),
    *router.urls,
]
