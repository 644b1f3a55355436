"""The app of people, their photos and the faces in scenes."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
