"""URLs of people under /v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from people.api.faces import GroupsView, NameGroupView, PersonFacesView, PersonFaceView
from people.api.persons import PersonViewSet
from people.api.photos import CompletePhotoView, PhotosView, PhotoView, RenewUploadUrlView, RetryPhotoView, UploadUrlView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("persons", PersonViewSet, basename="person")

urlpatterns = [
    path("persons/<uuid:pk>/photos", PhotosView.as_view(), name="person-photos"),
    path("persons/<uuid:pk>/photos/upload-url", UploadUrlView.as_view(), name="person-photo-upload"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>", PhotoView.as_view(), name="person-photo"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>/upload-url", RenewUploadUrlView.as_view(), name="person-photo-upload-url"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>/complete", CompletePhotoView.as_view(), name="person-photo-complete"),
    path("persons/<uuid:pk>/photos/<uuid:photo_id>/retry", RetryPhotoView.as_view(), name="person-photo-retry"),
    path("persons/<uuid:pk>/faces", PersonFacesView.as_view(), name="person-faces"),
    path("persons/<uuid:pk>/faces/<uuid:face_id>", PersonFaceView.as_view(), name="person-face"),
    path("faces/groups", GroupsView.as_view(), name="face-groups"),
    path("faces/groups/<uuid:group_id>/name", NameGroupView.as_view(), name="face-group-name"),
    *router.urls,
]
