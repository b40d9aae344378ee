"""Inputs of SageMaker jobs, in the form in which their operations take them."""

from __future__ import annotations

PROCESSING_INPUTS = "/opt/ml/processing/input"


def training_channel(name: str, uri: str, content_type: str | None = None) -> dict[str, object]:
    """Give an entry of ``InputDataConfig``: all that lies under an address, copied beforehand."""
    typed = {"ContentType": content_type} if content_type else {}
    return {
        **typed,
        "ChannelName": name,
        "InputMode": "File",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def processing_input(name: str, uri: str) -> dict[str, object]:
    """Give an entry of ``ProcessingInputs``, mounted under its name."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{PROCESSING_INPUTS}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }
