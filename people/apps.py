"""The app of people, their photos and the faces in scenes."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"

    def ready(self) -> None:
        from heimdex.accounts.quotas import register_usage
        from heimdex.backlog import register_work
        from heimdex.queue import UPLOADS
        from heimdex.uploads.open_uploads import register_uploads
        from people.actions.photos import find_photo_upload
        from people.photos.backlog import count_photos
        from people.search_backend import FaceMatchSearch
        from people.usage import measure_photos
        from videos.registry import register_people_search

        register_people_search(FaceMatchSearch())
        register_usage(measure_photos)
        register_uploads(find_photo_upload)
        register_work(UPLOADS, count_photos)
