"""From an uploaded file to an indexed video, stage by stage."""
