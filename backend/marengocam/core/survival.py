"""Survival mode's ladder, as all rooms name it: what is given up so that the present moment is recorded."""

LADDER = (
    "normal",
    "drop_b_frames",  # those that no other picture refers to
    "skip_unreferenced_frames",  # every B-frame, and whatever else no picture refers to
    "skip_faces",
    "lower_detection_rate",
    "keyframes_only",
)
LAST_LEVEL = len(LADDER) - 1
SHED_LEVEL = (
    "analysis_shed_level"  # in the hub's settings: the janitor writes how many steps are given up, ingest reads it
)
