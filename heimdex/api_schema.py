"""Settings of the API's description (drf-spectacular)."""

SCHEMA_SETTINGS = {
    "TITLE": "Heimdex",
    "DESCRIPTION": "Video search with a versioned embedding pipeline.",
    "VERSION": "v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "heimdex.api.describe_errors"],
    "ENUM_NAME_OVERRIDES": {
        "VideoStateEnum": "videos.models.video.Video.State",
        "EvidenceKindEnum": "videos.search.modes.KIND_CHOICES",
        "CompletionKindEnum": "videos.api.completions.KIND_CHOICES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
