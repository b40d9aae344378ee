"""The training configuration's JSON Schema: what ``members.yaml`` may say, field by field.

``training_config.schema.json`` beside this file is the published copy; this module writes it:
``python -m pipeline_code.training_pipeline.config_schema``. Standard library only: functions check
with it too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline_code.data_pipeline.contract import SPLITS
from pipeline_code.training_pipeline.contract import ALGORITHM_MODES

Schema = dict[str, Any]

CONFIG_VERSION = 1
PUBLISHED = Path(__file__).with_name("training_config.schema.json")
NAMED_ALGORITHMS = [name for name, mode in ALGORITHM_MODES.items() if mode in ("A", "B", "C")]
TUNABLE_ALGORITHMS = [name for name, mode in ALGORITHM_MODES.items() if mode in "ABCE"]


def _object(required: Schema, optional: Schema | None = None, **more: object) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _number(low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high}


def _integer(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _text(pattern: str = "", title: str = "a text") -> Schema:
    return {"type": "string", "title": title, **({"pattern": pattern} if pattern else {})}


def _list(items: Schema, title: str, *, empty: bool = False) -> Schema:
    return {"type": "array", "items": items, "minItems": 0 if empty else 1, "title": title}


def _names(*, empty: bool = False) -> Schema:
    title = "a list of texts" if empty else "a list with at least one text"
    return {**_list(_text(), title, empty=empty), "uniqueItems": True}


MONTH = _text(r"^\d{4}-(0[1-9]|1[0-2])$", "a month as YYYY-MM")
NAME = _text(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$", "a name of letters, digits, _ and -")
S3_URI = _text(r"^s3://[^/]+/(.+/)?model\.tar\.gz$", "the S3 URI of a model.tar.gz")
SHA256 = _text(r"^[0-9a-f]{64}$", "64 hexadecimal digits of a SHA-256")
ARN = _text(r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]*:.+$", "the ARN of a marketplace product")
INSTANCE = _text(r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", "an instance type as ml.m5.large")
FLAG: Schema = {"type": "boolean", "title": "true or false"}
SCALAR: Schema = {"type": ["string", "number", "boolean"], "title": "a number, text, true or false"}
PARAMETERS: Schema = {
    "type": "object",
    "title": "a mapping of the algorithm's parameters",
    "additionalProperties": SCALAR,
}
RANGE = _object(
    {"type": {"enum": ["integer", "continuous", "categorical"]}},
    {
        "min": _number(-1e9, 1e9),
        "max": _number(-1e9, 1e9),
        "values": _names(),
        "scaling": {"enum": ["Auto", "Linear", "Logarithmic"]},
    },
    title="a range",
)
RANGES: Schema = {"type": "object", "title": "ranges", "additionalProperties": RANGE}
ALGORITHM: Schema = {
    "title": f"one of {NAMED_ALGORITHMS}, or a mapping with pretrained, marketplace_algorithm or "
    "marketplace_model",
    "oneOf": [
        {"enum": NAMED_ALGORITHMS},
        _object({"pretrained": _object({"uri": S3_URI, "sha256": SHA256})}),
        _object({"marketplace_algorithm": ARN}),
        _object({"marketplace_model": ARN}),
    ],
}
RESOURCES = _object(
    {},
    {
        "instance_type": INSTANCE,
        "volume_gb": _integer(1, 16_384),
        "spot": FLAG,
        "budget_seconds": _integer(60, 432_000),
        "max_wait_seconds": _integer(60, 864_000),
    },
    title="a mapping of instances, spot and budget",
)
TUNING = _object(
    {
        "strategy": {"enum": ["Bayesian", "Random"]},
        "max_jobs": _integer(1, 500),
        "max_parallel_jobs": _integer(1, 100),
    },
    {"early_stopping": FLAG, "warm_start": FLAG},
    title="a mapping with strategy, max_jobs and max_parallel_jobs",
)
MEMBER = _object(
    {
        "name": NAME,
        "source": _text(),
        "features": _names(),
        "algorithm": ALGORITHM,
        "gate": _object({"min_auc": _number(0.5, 1)}),
    },
    {
        "context": _names(empty=True),
        "enabled": FLAG,
        "parameters": _object({}, dict.fromkeys(TUNABLE_ALGORITHMS, PARAMETERS)),
        "search": _object(
            {},
            dict.fromkeys(TUNABLE_ALGORITHMS, RANGES),
        ),
        "resources": RESOURCES,
    },
)
GATES = _object(
    {
        "min_auc": _number(0.5, 1),
        "max_log_loss": _number(0, 10),
        "max_brier": _number(0, 1),
        "max_ece": _number(0, 1),
        "min_gain_log_loss": _number(-10, 10),
        "max_slice_loss_log_loss": _number(0, 10),
        "max_model_size_bytes": _integer(1, 10**10),
        "max_latency_ms_p50": _number(0, 60_000),
    },
    {
        "min_gain_chance": _number(0, 1),
        "max_member_loss_auc": _number(0, 1),
        "max_calibration_gap": _number(0, 1),
        "without_source": {
            "type": "object",
            "title": "limits by source",
            "additionalProperties": _object(
                {"min_auc": _number(0.5, 1), "max_log_loss": _number(0, 10)}
            ),
        },
    },
)
MONTHS = _object({"first": MONTH, "last": MONTH})
BAND = _object(
    {"name": NAME, "column": _text(), "edges": _list(_number(-1e12, 1e12), "a list of numbers")}
)
SEASONS: Schema = {
    "type": "object",
    "title": "months of the year (1 to 12) by season",
    "additionalProperties": _list(_integer(1, 12), "a list of months from 1 to 12"),
}
SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Training configuration: an ensemble, how it is trained, judged and what it may cost",
    **_object(
        {
            "version": {"const": CONFIG_VERSION},
            "seed": _integer(0, 2**31 - 1),
            "split": {
                **_object(dict.fromkeys(SPLITS, MONTHS)),
                "description": "The data window: months to train on, to validate on, to test on.",
            },
            "members": _list(MEMBER, "a list with at least one member"),
            "categorical": _names(empty=True),
            "out_of_fold": _list(
                _object({"train_through": MONTH, "score_through": MONTH}),
                "a list with at least one window",
            ),
            "stacker": _object({"algorithm": {"const": "logistic"}, "l2": _number(0, 1e6)}),
            "slices": _names(empty=True),
            "gates": GATES,
        },
        {
            "slice_bands": _list(BAND, "a list of bands", empty=True),
            "slice_seasons": SEASONS,
            "fairness": _object({"columns": _names(), "threshold": _number(0, 1)}),
            "evaluation": _object(
                {},
                {
                    "bootstrap_samples": _integer(0, 10_000),
                    "influence_rows": _integer(0, 1_000_000),
                    "black_box": FLAG,
                },
            ),
            "tuning": TUNING,
            "additive": {**PARAMETERS, "title": "a mapping of LightGBM's parameters"},
            "resources": RESOURCES,
            "intended_use": _text(r"\S", "a text that says what the model is for"),
        },
    ),
}


def main() -> None:
    """Write the published copy."""
    PUBLISHED.write_text(json.dumps(SCHEMA, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
