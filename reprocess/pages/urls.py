"""URLs of the pages."""

from django.urls import path

from reprocess.pages.faces import faces_page
from reprocess.pages.search_index import search_index_page

urlpatterns = [
    path("videos/<uuid:video_id>/search-data/", search_index_page, name="search-index"),
    path("people/faces/", faces_page, name="faces"),
]
