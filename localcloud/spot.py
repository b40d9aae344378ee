"""Takes the machine of a spot training job away, from outside the daemon."""

import time
from pathlib import Path

from localcloud.lifecycle import LocalCloudError

# Where executions of spot training jobs look; `localcloud.sagemaker.spot` reads it.
NOTES = Path("jobs") / "spot_interruptions"
ANSWER_SECONDS = 5.0
LOOK_SECONDS = 0.05


def interrupt(root: Path, job: str) -> None:
    """Leave the note and wait until the job's execution has taken it."""
    note = root / NOTES / job
    if not note.parent.is_dir() or "/" in job:
        raise LocalCloudError(f"no spot training job {job} is running")
    note.touch()
    deadline = time.monotonic() + ANSWER_SECONDS
    while note.exists():
        if time.monotonic() >= deadline:
            note.unlink(missing_ok=True)
            raise LocalCloudError(f"no spot training job {job} is running")
        time.sleep(LOOK_SECONDS)
