"""Makes a commit's image, once: build, push by the digest of its content, list, scan, sign.

``python -m pipeline_code.build_pipeline.image_job ASSEMBLY`` prints ``IMAGE_URI=<uri>@<digest>``.
An image whose content was built before is not built again: another build would have another digest.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from pipeline_code.build_pipeline.assemblies import ImageSource, image_source
from pipeline_code.build_pipeline.bill_of_materials import Resolved, bill_of_materials
from pipeline_code.build_pipeline.contract import Variable, image_key
from pipeline_code.build_pipeline.image_papers import BILL, SCAN, SIGNATURE, sign
from pipeline_code.build_pipeline.records import ReleaseRecords

DOCKERFILE = "pipeline_code/Dockerfile"
REQUIREMENTS = "requirements/container.txt"
GRAVE = ("CRITICAL",)
POLL_SECONDS = 5.0
SCAN_SECONDS = 600.0


class ScanError(Exception):
    """An image's scan found grave faults, or did not end."""


class Registry:
    """The repository of the images."""

    def __init__(self, ecr: Any, repository_uri: str) -> None:
        self._ecr = ecr
        self.uri = repository_uri
        self._host, _, self.name = repository_uri.partition("/")

    def digest_of(self, tag: str) -> str | None:
        """Give the digest of a pushed image, or None where there is none of that tag."""
        try:
            found = self._ecr.describe_images(
                repositoryName=self.name, imageIds=[{"imageTag": tag}]
            )
        except self._ecr.exceptions.ImageNotFoundException:
            return None
        return str(found["imageDetails"][0]["imageDigest"])

    def build_and_push(self, source: ImageSource) -> str:
        """Build an image under the digest of its content; give its own digest."""
        tagged = f"{self.uri}:{source.digest}"
        self._log_in()
        file = str(source.folder / source.dockerfile)
        platform = ("--platform", "linux/amd64")
        _docker("build", "--tag", tagged, "--file", file, *platform, str(source.folder))
        _docker("push", tagged)
        digest = self.digest_of(source.digest)
        if digest is None:
            message = f"{tagged} was pushed and is not there"
            raise LookupError(message)
        return digest

    def scan(self, digest: str) -> dict[str, Any]:
        """Wait for the scan of an image and give what it found.

        Raises:
            ScanError: it did not end in time.

        """
        deadline = time.monotonic() + SCAN_SECONDS
        image = {"repositoryName": self.name, "imageId": {"imageDigest": digest}}
        while time.monotonic() < deadline:
            try:
                found = self._ecr.describe_image_scan_findings(**image)
            except self._ecr.exceptions.ScanNotFoundException:
                found = {"imageScanStatus": {"status": "PENDING"}}
            if found["imageScanStatus"]["status"] == "COMPLETE":
                counts = found.get("imageScanFindings", {}).get("findingSeverityCounts", {})
                return {"scanned": True, "findings": dict(counts)}
            time.sleep(POLL_SECONDS)
        message = f"The scan of {digest} did not end within {SCAN_SECONDS:.0f} s"
        raise ScanError(message)

    def _log_in(self) -> None:
        (data,) = self._ecr.get_authorization_token()["authorizationData"]
        _, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        options = ("--username", "AWS", "--password-stdin")
        _docker("login", *options, self._host, words=password)


def _docker(*arguments: str, words: str = "") -> None:
    program = os.environ.get("CDK_DOCKER", "docker")
    # What Docker says belongs into the log; standard output is this program's answer.
    subprocess.run(  # noqa: S603 - the build's own Docker
        [program, *arguments], input=words, text=True, check=True, stdout=sys.stderr
    )


def resolved_packages(requirements: str) -> Resolved:
    """Ask pip which archives the image's requirements stand for."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ("--dry-run", "--ignore-installed", "--quiet", "--report", str(report))
        command = [sys.executable, "-m", "pip", "install", *options, "--requirement", requirements]
        subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 - our own requirements
        return list(json.loads(report.read_text("utf-8"))["install"])


def write_papers(
    records: ReleaseRecords, registry: Registry, digest: str, *, scanned: bool
) -> None:
    """Keep an image's bill of materials and scan.

    Raises:
        ScanError: the scan found grave faults.

    """
    packages = resolved_packages(REQUIREMENTS)
    records.write_document(
        image_key(digest, BILL), bill_of_materials(registry.name, digest, packages)
    )
    scan: dict[str, Any] = {"scanned": False, "reason": "this environment's registry has no scan"}
    if scanned:
        scan = registry.scan(digest)
    records.write_document(image_key(digest, SCAN), scan)
    grave = {name: scan.get("findings", {}).get(name, 0) for name in GRAVE}
    if any(grave.values()):
        message = f"Image {digest} has grave faults: {grave}. Raise the versions that have them."
        raise ScanError(message)


def main(arguments: Sequence[str]) -> int:
    """Make the image of an assembly."""
    (assembly,) = arguments
    source = image_source(Path(assembly), DOCKERFILE)
    registry = Registry(boto3.client("ecr"), os.environ[Variable.REPOSITORY_URI])
    records = ReleaseRecords(boto3.client("s3"), os.environ[Variable.ARTEFACT_BUCKET])
    key = os.environ[Variable.SIGNING_KEY]
    try:
        digest = registry.digest_of(source.digest) or registry.build_and_push(source)
        if records.read_document(image_key(digest, SIGNATURE)) is None:
            scanned = os.environ[Variable.SCAN_IMAGE] == "true"
            write_papers(records, registry, digest, scanned=scanned)
            sign(records, boto3.client("kms"), key, digest)
    except (ScanError, ClientError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{Variable.IMAGE_URI}={registry.uri}@{digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
