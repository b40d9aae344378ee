"""Program that runs one Glue job in its own process, holding nothing but the job role's session.

Run as `python -m localcloud.glue.launcher SPECIFICATION`, a JSON file. It fetches the script and
its libraries, serves `s3://` to Spark through the WebHDFS bridge, runs the script and takes over
its exit code.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from localcloud.glue.arguments import listed, script_arguments, spark_settings
from localcloud.spark_jobs.program import Specification, fetch, launch, named_buckets, run_program
from localcloud.spark_jobs.session import SparkRequest, spark_environment

LIBRARY = Path(__file__).with_name("script_library")


def main(file: str) -> int:
    """Run the job that a specification describes."""
    return launch(file, _run)


def _run(specification: Specification, s3: Any) -> int:
    folder = Path(specification["folder"])
    arguments = specification["arguments"]
    script = fetch(s3, specification["script"], folder)
    libraries = [fetch(s3, uri, folder) for uri in listed(arguments, "--extra-py-files")]
    for uri in listed(arguments, "--extra-files"):
        fetch(s3, uri, folder)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in [*libraries, LIBRARY])
    environment["TZ"] = "UTC"
    if specification["spark"]:
        request = SparkRequest(
            name=specification["job_name"],
            cores=specification["cores"],
            memory=specification["memory"],
            settings=spark_settings(arguments),
            buckets=[*specification["buckets"], *named_buckets(arguments.values())],
        )
        environment |= spark_environment(request, s3, folder)
    words = script_arguments(arguments, specification["job_name"], specification["run_id"])
    return run_program(folder, script, words, environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
