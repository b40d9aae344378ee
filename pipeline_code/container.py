"""The image's entry point: ``train`` runs a training job, ``serve`` answers predictions."""

from __future__ import annotations

import os
import sys

USAGE = "usage: python -m pipeline_code.container train|serve"


def main(arguments: list[str]) -> int:
    """Run what SageMaker appended to the entry point; each side imports only what it needs."""
    if arguments == ["train"]:
        from pipeline_code.training_pipeline import train_job  # noqa: PLC0415 - heavy imports

        return train_job.main()
    if arguments == ["serve"]:
        # Serving processes are forked: they would miss threads that the parent's libraries had.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        from pipeline_code.inference import serve_job  # noqa: PLC0415 - must start fast

        return serve_job.main()
    sys.stderr.write(f"{USAGE}; given was {arguments}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
