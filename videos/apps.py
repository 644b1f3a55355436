"""The app of videos, scenes and vectors."""

from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "videos"
