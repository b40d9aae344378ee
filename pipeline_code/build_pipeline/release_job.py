"""Around a deployment: its image is checked before, what was released is recorded after.

``python -m pipeline_code.build_pipeline.release_job check`` | ``record deployed ASSEMBLY`` |
``record pipeline ASSEMBLY``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from pipeline_code.build_pipeline.assemblies import file_digests, template_digest
from pipeline_code.build_pipeline.contract import DEPLOYED, PIPELINE, ReleaseRecord, Variable
from pipeline_code.build_pipeline.fingerprints import fingerprints
from pipeline_code.build_pipeline.image_papers import UnsignedImageError, check
from pipeline_code.build_pipeline.records import ReleaseRecords


def check_image(records: ReleaseRecords) -> int:
    """Refuse an image that the pipeline has not signed."""
    digest = os.environ[Variable.IMAGE_URI].rpartition("@")[2]
    try:
        check(records, boto3.client("kms"), os.environ[Variable.SIGNING_KEY], digest)
    except UnsignedImageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{digest} is signed\n")
    return 0


def record(records: ReleaseRecords, about: str, assembly: Path) -> int:
    """Keep what was released; the next push is compared with it."""
    environment = os.environ[Variable.ENVIRONMENT]
    fingerprint = (
        fingerprints(Path.cwd())["platform"]
        if about == DEPLOYED
        else template_digest(assembly, f"Fourblocks-{environment}-BuildPipeline")
    )
    records.write(environment, about, record_of(fingerprint, file_digests(assembly)))
    return 0


def record_of(fingerprint: str, assets: list[str]) -> ReleaseRecord:
    """Write down a release of the pipeline's running execution."""
    return {
        "commit": os.environ.get(Variable.COMMIT, "unknown"),
        "fingerprint": fingerprint,
        "execution_id": os.environ.get(Variable.EXECUTION_ID, ""),
        "image_uri": os.environ.get(Variable.IMAGE_URI, ""),
        "assets": assets,
    }


def main(arguments: Sequence[str]) -> int:
    """Check or record."""
    records = ReleaseRecords(boto3.client("s3"), os.environ[Variable.ARTEFACT_BUCKET])
    match list(arguments):
        case ["check"]:
            return check_image(records)
        case ["record", str(about), str(assembly)] if about in (DEPLOYED, PIPELINE):
            return record(records, about, Path(assembly))
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
