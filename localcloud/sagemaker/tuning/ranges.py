"""The search space: what the request's ranges mean, and how values are spelled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.algorithms import catalogue
from localcloud.sagemaker.errors import invalid

CONTINUOUS, INTEGER, CATEGORICAL = "continuous", "integer", "categorical"
LINEAR, LOGARITHMIC, REVERSE = "Linear", "Logarithmic", "ReverseLogarithmic"
# From this ratio of the bounds on, Auto takes the logarithmic scale.
AUTO_LOGARITHMIC_RATIO = 100.0
# What AWS's documentation recommends for its own algorithms; AutoParameters search there.
RECOMMENDED: dict[str, dict[str, tuple[str, float, float]]] = {
    "xgboost": {
        "alpha": (CONTINUOUS, 0, 1000),
        "colsample_bylevel": (CONTINUOUS, 0.1, 1),
        "colsample_bynode": (CONTINUOUS, 0.1, 1),
        "colsample_bytree": (CONTINUOUS, 0.5, 1),
        "eta": (CONTINUOUS, 0.1, 0.5),
        "gamma": (CONTINUOUS, 0, 5),
        "lambda": (CONTINUOUS, 0, 1000),
        "max_delta_step": (INTEGER, 0, 10),
        "max_depth": (INTEGER, 0, 10),
        "min_child_weight": (CONTINUOUS, 0, 120),
        "num_round": (INTEGER, 1, 4000),
        "subsample": (CONTINUOUS, 0.5, 1),
    },
    "linear_learner": {
        "wd": (CONTINUOUS, 1e-7, 1),
        "l1": (CONTINUOUS, 1e-7, 1),
        "learning_rate": (CONTINUOUS, 1e-5, 1),
        "mini_batch_size": (INTEGER, 100, 5000),
    },
}


@dataclass(frozen=True)
class Range:
    """The values that one hyperparameter may take."""

    name: str
    kind: str
    low: float = 0
    high: float = 0
    scale: str = LINEAR
    values: tuple[str, ...] = ()

    def spelled(self, value: Any) -> str:
        """Write a value as a hyperparameter."""
        if self.kind == CONTINUOUS:
            return repr(float(value))
        return str(value)

    def read(self, text: str) -> Any:
        """Read a value; None when it is not in the range."""
        if self.kind == CATEGORICAL:
            return text if text in self.values else None
        try:
            value = int(text) if self.kind == INTEGER else float(text)
        except ValueError:
            return None
        return value if self.low <= value <= self.high else None


def ranges_of(given: Mapping[str, Any], image_uri: str) -> list[Range]:
    """Read the request's ranges, or refuse."""
    found = [*_numeric(given), *_categorical(given), *_automatic(given, image_uri)]
    names = [each.name for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise invalid(f"Hyperparameter ranges name {', '.join(twice)} more than once.")
    if not found:
        raise invalid("At least one hyperparameter range must be given.")
    return found


def _numeric(given: Mapping[str, Any]) -> Iterator[Range]:
    for kind, member in ((INTEGER, "Integer"), (CONTINUOUS, "Continuous")):
        for each in given.get(f"{member}ParameterRanges", []):
            try:
                low, high = float(each["MinValue"]), float(each["MaxValue"])
            except ValueError as error:
                raise invalid(f"Range of {each['Name']}: {error}") from error
            _check_bounds(each, kind, low, high)
            scale = _scale(each.get("ScalingType", "Auto"), each["Name"], kind, low, high)
            yield Range(each["Name"], kind, low, high, scale)


def _check_bounds(each: Mapping[str, Any], kind: str, low: float, high: float) -> None:
    if not low < high or not math.isfinite(low) or not math.isfinite(high):
        raise invalid(
            f"Range of {each['Name']}: MinValue {each['MinValue']} must be less than MaxValue "
            f"{each['MaxValue']}."
        )
    if kind == INTEGER and not (low.is_integer() and high.is_integer()):
        raise invalid(f"Range of {each['Name']}: an integer's bounds must be integers.")


def _scale(wanted: str, name: str, kind: str, low: float, high: float) -> str:
    if wanted == "Auto":
        return LOGARITHMIC if low > 0 and high / low >= AUTO_LOGARITHMIC_RATIO else LINEAR
    if wanted == LOGARITHMIC and low <= 0:
        raise invalid(f"Range of {name}: Logarithmic scaling needs a MinValue greater than 0.")
    if wanted == REVERSE and (kind == INTEGER or low < 0 or high >= 1):
        raise invalid(
            f"Range of {name}: ReverseLogarithmic scaling is for continuous values with "
            "0 <= MinValue and MaxValue < 1."
        )
    return wanted


def _categorical(given: Mapping[str, Any]) -> Iterator[Range]:
    for each in given.get("CategoricalParameterRanges", []):
        yield Range(each["Name"], CATEGORICAL, values=tuple(each["Values"]))


def _automatic(given: Mapping[str, Any], image_uri: str) -> Iterator[Range]:
    algorithm = catalogue.find(image_uri)
    known = RECOMMENDED.get(algorithm.program, {}) if algorithm else {}
    for each in given.get("AutoParameters", []):
        if each["Name"] not in known:
            raise invalid(
                f"AutoParameters: no range is known for {each['Name']} of {image_uri}; known are "
                f"{', '.join(known) or 'none'}. Give its range."
            )
        kind, low, high = known[each["Name"]]
        yield Range(each["Name"], kind, low, high, _scale("Auto", each["Name"], kind, low, high))


def combinations(ranges: Sequence[Range]) -> int:
    """Count the combinations of categorical ranges."""
    return math.prod(len(each.values) for each in ranges)
