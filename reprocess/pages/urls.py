"""URLs of the pages."""

from django.urls import path

from reprocess.pages.faces import faces_page
from reprocess.pages.search_data import search_data_page

urlpatterns = [
    path("videos/<uuid:video_id>/search-data/", search_data_page, name="search-data"),
    path("people/faces/", faces_page, name="faces"),
]
