"""URLs of the pages."""

from django.urls import path

from reprocess.pages.faces import faces_page
from reprocess.pages.search_index import show_search_index

urlpatterns = [
    path("videos/<uuid:video_id>/search-data/", show_search_index, name="search-index"),
    path("people/faces/", faces_page, name="faces"),
]
