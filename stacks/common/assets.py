"""What each kind of asset admits of the repository, so that nothing else changes its digest."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets

from stacks.common.grants import grant_on

REPOSITORY = Path(__file__).resolve().parents[2]

_NEVER = ["__pycache__/", "*.pyc", "*.pyo"]

_PURE_MODULES = {
    "inference": ("training_pipeline/schema_check.py",),
    "training_pipeline": (
        "training_pipeline/algorithms.py",
        "training_pipeline/config_document.py",
        "training_pipeline/config_schema.py",
        "training_pipeline/ensemble_config.py",
        "training_pipeline/member_jobs.py",
        "training_pipeline/schema_check.py",
    ),
}
"""What a block's functions share with its jobs: standard library only, as functions are."""

_DECIDING = ("decision_options", "decision_policy", "decision_request", "decision_solving")
_OF_FUNCTION = {
    "decide": [
        *(f"!/pipeline_code/inference/{name}.py" for name in (*_DECIDING, "decisions", "highs")),
        "!/pipeline_code/yaml_node.py",
        "!/use_cases/",
        "/use_cases/*",
        "!/use_cases/__init__.py",
        "!/use_cases/*/",
        "/use_cases/*/*",
        "!/use_cases/*/__init__.py",
        "!/use_cases/*/decision.py",
        "!/use_cases/*/decision.yaml",
    ]
}
"""What a single function shares with a job, of the use case too."""


def function_admissions(block: str, name: str = "") -> list[str]:
    """Git-style patterns that leave one block's functions, what they share, and the contracts.

    By its name a function gets what it alone needs besides.
    """
    return [
        "/*",
        "!/lambdas/",
        "/lambdas/*",
        "!/lambdas/__init__.py",
        "!/lambdas/*/",
        "/lambdas/*/*",
        "!/lambdas/*/__init__.py",
        "!/lambdas/*/contract.py",
        "!/lambdas/common/*",
        f"!/lambdas/{block}/*",
        "!/pipeline_code/",
        "/pipeline_code/*",
        "!/pipeline_code/__init__.py",
        "!/pipeline_code/*/",
        "/pipeline_code/*/*",
        "!/pipeline_code/*/__init__.py",
        "!/pipeline_code/*/contract.py",
        *(f"!/pipeline_code/{module}" for module in _PURE_MODULES.get(block, ())),
        *_OF_FUNCTION.get(name, ()),
        *_NEVER,
    ]


def job_admissions() -> list[str]:
    """Git-style patterns that leave what jobs import: pipeline code without builds, use cases."""
    return ["/*", "!/pipeline_code/", "/pipeline_code/build_pipeline/", "!/use_cases/", *_NEVER]


def image_admissions() -> list[str]:
    """Git-style patterns that leave what the Dockerfile copies."""
    return [
        *job_admissions(),
        "!/constraints.txt",
        "!/requirements/",
        "/requirements/*",
        "!/requirements/container.txt",
    ]


def grant_asset(role: iam.Role, asset: assets.Asset) -> None:
    """Allow to read one published file."""
    grant_on(
        role,
        "s3:GetObject",
        resources=[asset.bucket.arn_for_objects(asset.s3_object_key)],
    )
