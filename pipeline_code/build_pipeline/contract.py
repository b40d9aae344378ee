"""What the pipeline's template, its build specifications and their jobs say to each other."""

from __future__ import annotations

from typing import TypedDict

RELEASES_PREFIX = "releases/"
"""Artefact bucket: by environment, what was deployed last and what was trained last."""
IMAGES_PREFIX = "images/"
"""Artefact bucket: by digest, an image's papers: bill of materials, scan, signature."""

SIGNATURE_ALGORITHM = "ECDSA_SHA_256"

CHANGE_NAMESPACE = "Change"
"""CodePipeline's namespace of what the build found out about a push."""
IMAGE_NAMESPACE = "Image"


class Variable:
    """Environment variables of the builds; the exported ones are CodePipeline's variables too."""

    ENVIRONMENT = "FOURBLOCKS_ENVIRONMENT"
    ENVIRONMENTS = "FOURBLOCKS_ENVIRONMENTS"
    """Names of all environments that the pipeline releases, in their order."""
    USE_CASE = "FOURBLOCKS_USE_CASE"
    SUITES = "FOURBLOCKS_SUITES"
    ARTEFACT_BUCKET = "ARTEFACT_BUCKET"
    REPOSITORY_URI = "REPOSITORY_URI"
    SIGNING_KEY = "SIGNING_KEY"
    SCAN_IMAGE = "SCAN_IMAGE"
    RELEASE_ACCOUNT = "RELEASE_ACCOUNT"
    """Account of the environment; empty means the pipeline's own."""
    COMMIT = "COMMIT"
    UPDATES_PIPELINE = "UPDATES_PIPELINE"
    """`true` when the pipeline's own definition has changed."""
    DEPLOYS = "DEPLOYS"
    """`true` when some environment is to be deployed."""
    TRAINS = "TRAINS"
    IMAGE_URI = "IMAGE_URI"
    EXECUTION_ID = "EXECUTION_ID"


def of_environment(variable: str, environment: str) -> str:
    """Name a variable that each environment has for itself."""
    return f"{variable}_{environment.upper()}"


DEPLOYED, TRAINED, PIPELINE = "deployed", "trained", "pipeline"
"""What is recorded of an environment; of the first one, the pipeline's definition too."""


def record_key(environment: str, about: str) -> str:
    """Say where a release record lies."""
    return f"{RELEASES_PREFIX}{environment}/{about}.json"


def image_key(digest: str, paper: str) -> str:
    """Say where one of an image's papers lies; its digest is written ``sha256:<hex>``."""
    return f"{IMAGES_PREFIX}{digest.removeprefix('sha256:')}/{paper}.json"


class Fingerprints(TypedDict):
    """Digests of what a source tree holds, by what a change of it means."""

    platform: str
    """All that is deployed: stacks, functions, jobs, use cases."""
    model: str
    """All that a model is made with: the image's content and the jobs' code."""


class ReleaseRecord(TypedDict):
    """What was released to an environment."""

    commit: str
    fingerprint: str
    execution_id: str
    image_uri: str
    assets: list[str]
    """Digests of the files that the deployed templates refer to, sorted."""
