"""Turn an uploaded file into an indexed video, stage by stage."""
