"""Inputs of entities that a caller knows by name alone: what the Feature Store holds of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore import exceptions
from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code
from lambdas.common.backoff import Pause, pause
from lambdas.inference.serve_predictions.logic import Instance
from lambdas.inference.serve_predictions.refusals import EndpointUnavailableError

_RECORDS = 100
"""Records that one ``BatchGetRecord`` gives."""
_ATTEMPTS = 4
_BUSY = {"ThrottlingException", "Throttling", "InternalFailure", "ServiceUnavailable"}
_NUMBERS: Mapping[str, Callable[[str], Any]] = {"Integral": int, "Fractional": float}


class FeatureStoreInputs:
    """One feature group for each group of inputs; its own definitions say what is a number."""

    def __init__(
        self, runtime: Any, sagemaker: Any, groups: Mapping[str, str], pause: Pause = pause
    ) -> None:
        self._runtime = runtime
        self._sagemaker = sagemaker
        self._groups = {feature_group: group for group, feature_group in groups.items()}
        self._pause = pause
        self._readers: dict[str, dict[str, Callable[[str], Any]]] = {}

    def find(self, entities: Sequence[str]) -> list[Instance]:
        """Give each entity's instance; a group that nothing is known of is null."""
        wanted = list(dict.fromkeys(entities))
        found: dict[str, Instance] = {each: dict.fromkeys(self._groups.values()) for each in wanted}
        step = _RECORDS // len(self._groups)
        for start in range(0, len(wanted), step):
            for record in self._records(wanted[start : start + step]):
                feature_group = record["FeatureGroupName"]
                instance = found[record["RecordIdentifierValueAsString"]]
                instance[self._groups[feature_group]] = self._values(feature_group, record)
        return [found[each] for each in entities]

    def _records(self, entities: Sequence[str]) -> list[dict[str, Any]]:
        wanted = [
            {"FeatureGroupName": name, "RecordIdentifiersValueAsString": list(entities)}
            for name in self._groups
        ]
        records: list[dict[str, Any]] = []
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(attempt)
            answer = self._ask(wanted)
            records += answer["Records"]
            wanted = answer.get("UnprocessedIdentifiers", [])
            if not wanted:
                return records
        raise EndpointUnavailableError("The Feature Store is overloaded.", is_failure=False)

    def _ask(self, wanted: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._runtime.batch_get_record(Identifiers=wanted)
        except ClientError as error:
            if error_code(error) in _BUSY:
                raise _unavailable(error_code(error)) from error
            raise
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise _unavailable(type(error).__name__) from error
        for failed in answer.get("Errors", []):
            raise _unavailable(f"{failed['FeatureGroupName']}: {failed['ErrorCode']}")
        return answer

    def _values(self, feature_group: str, record: Mapping[str, Any]) -> dict[str, Any]:
        readers = self._reader(feature_group)
        return {
            each["FeatureName"]: readers[each["FeatureName"]](each["ValueAsString"])
            for each in record["Record"]
            if each["FeatureName"] in readers
        }

    def _reader(self, feature_group: str) -> dict[str, Callable[[str], Any]]:
        """Say how each input of a feature group is read, as long as this environment lives."""
        if feature_group not in self._readers:
            described = self._sagemaker.describe_feature_group(FeatureGroupName=feature_group)
            own = {described["RecordIdentifierFeatureName"], described["EventTimeFeatureName"]}
            self._readers[feature_group] = {
                each["FeatureName"]: _NUMBERS.get(each["FeatureType"], str)
                for each in described["FeatureDefinitions"]
                if each["FeatureName"] not in own
            }
        return self._readers[feature_group]


def _unavailable(said: str) -> EndpointUnavailableError:
    return EndpointUnavailableError(f"The Feature Store does not answer: {said}", is_failure=False)
