"""Why the wildcards in the pipeline's own roles are right; CodePipeline's constructs make them."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import IConstruct

from stacks.common.bucket import DataBucket
from stacks.common.findings import acknowledge, imported_text

_ARTEFACTS = "CodePipeline names artefacts when it runs; the grant ends at the artefact bucket."
_KEY = "Each of these two families has a variant per caller; both are limited to one key."
_ACTIONS = {
    "s3:Abort*": _ARTEFACTS,
    "s3:DeleteObject*": _ARTEFACTS,
    "s3:GetBucket*": _ARTEFACTS,
    "s3:GetObject*": _ARTEFACTS,
    "s3:List*": _ARTEFACTS,
    "kms:GenerateDataKey*": _KEY,
    "kms:ReEncrypt*": _KEY,
}


def acknowledge_artefact_access(pipeline: IConstruct, *, artefacts: DataBucket) -> None:
    """Accept what the pipeline and its builds may do with artefacts."""
    arn = imported_text(Stack.of(artefacts), artefacts.bucket_arn)
    acknowledge(pipeline, {f"AwsSolutions-IAM5[Resource::{arn}/*]": _ARTEFACTS})
    for action, reason in _ACTIONS.items():
        acknowledge(pipeline, {f"AwsSolutions-IAM5[Action::{action}]": reason})
