"""The pipelines: their declarations by name, kept in one file."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.codepipeline.conditions import ConditionError, check
from localcloud.registry import Call, ServiceError

Record = dict[str, Any]


class Pipelines:
    """Keeps pipelines; every change is on disk before it is answered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.changed: Callable[[str], None] = lambda _: None
        """Called with the name of a pipeline that has a new version."""
        self._lock = threading.Lock()
        self._records: dict[str, Record] = json.loads(path.read_text()) if path.exists() else {}

    def create(self, call: Call) -> Mapping[str, Any]:
        """Keep a new pipeline as its version 1."""
        declaration = call.parameters["pipeline"]
        name, tags = declaration["name"], call.parameters.get("tags", [])
        with self._lock:
            if name in self._records:
                message = f"A pipeline with the name '{name}' already exists"
                raise ServiceError("PipelineNameInUseException", message)
            _check_structure(declaration)
            now = datetime.now(UTC).timestamp()
            pipeline = {**declaration, "version": 1}
            record = {"pipeline": pipeline, "arn": call.arn(name), "created": now, "updated": now}
            self._records[name] = {**record, "tags": {each["key"]: each["value"] for each in tags}}
            self._save()
        return {"pipeline": pipeline, "tags": tags}

    def update(self, call: Call) -> Mapping[str, Any]:
        """Replace a pipeline's declaration by its next version."""
        declaration = call.parameters["pipeline"]
        with self._lock:
            record = self._record(declaration["name"])
            _check_structure(declaration)
            record["pipeline"] = {**declaration, "version": record["pipeline"]["version"] + 1}
            record["updated"] = datetime.now(UTC).timestamp()
            self._save()
            updated = record["pipeline"]
        self.changed(declaration["name"])
        return {"pipeline": updated}

    def get(self, call: Call) -> Mapping[str, Any]:
        """Return a pipeline; only its current version is kept."""
        record = self._record(call.parameters["name"])
        version = record["pipeline"]["version"]
        if call.parameters.get("version", version) != version:
            message = f"Only version {version} of the pipeline is kept"
            raise ServiceError("PipelineVersionNotFoundException", message)
        times = {key: _time(record[key]) for key in ("created", "updated")}
        return {
            "pipeline": record["pipeline"],
            "metadata": {"pipelineArn": record["arn"], **times},
        }

    def declaration(self, name: str) -> Record:
        """Copy a pipeline's declaration."""
        copied: Record = json.loads(json.dumps(self._record(name)["pipeline"]))
        return copied

    def stage(self, name: str, stage: str) -> Record:
        """Copy the declaration of a pipeline's stage."""
        stages: list[Record] = self.declaration(name)["stages"]
        for each in stages:
            if each["name"] == stage:
                return each
        message = f"Pipeline {name} has no stage {stage}; it has {[s['name'] for s in stages]}"
        raise ServiceError("StageNotFoundException", message)

    def described(self, name: str) -> Record:
        """Return what is said of a pipeline beside the state of its stages."""
        record = self._record(name)
        return {
            "pipelineName": name,
            "pipelineVersion": record["pipeline"]["version"],
            "created": _time(record["created"]),
            "updated": _time(record["updated"]),
        }

    def list(self, call: Call) -> Mapping[str, Any]:  # noqa: ARG002  every operation gets its call
        """Return a summary of every pipeline."""
        records = [self._records[name] for name in sorted(self._records)]
        return {
            "pipelines": [
                {
                    "name": each["pipeline"]["name"],
                    "version": each["pipeline"]["version"],
                    "created": _time(each["created"]),
                    "updated": _time(each["updated"]),
                }
                for each in records
            ]
        }

    def delete(self, call: Call) -> Mapping[str, Any]:
        """Forget a pipeline; AWS does not mind if there is none."""
        with self._lock:
            self._records.pop(call.parameters["name"], None)
            self._save()
        return {}

    def tag(self, call: Call) -> Mapping[str, Any]:
        """Set tags of a pipeline."""
        with self._lock:
            tags = self._tagged(call)["tags"]
            tags.update({each["key"]: each["value"] for each in call.parameters["tags"]})
            self._save()
        return {}

    def untag(self, call: Call) -> Mapping[str, Any]:
        """Remove tags of a pipeline."""
        with self._lock:
            tags = self._tagged(call)["tags"]
            for key in call.parameters["tagKeys"]:
                tags.pop(key, None)
            self._save()
        return {}

    def tags(self, call: Call) -> Mapping[str, Any]:
        """Return the tags of a pipeline."""
        tags = self._tagged(call)["tags"]
        return {"tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]}

    def _record(self, name: str) -> Record:
        if name not in self._records:
            message = f"Account does not have a pipeline with name '{name}'"
            raise ServiceError("PipelineNotFoundException", message)
        return self._records[name]

    def _tagged(self, call: Call) -> Record:
        arn = call.parameters["resourceArn"]
        for record in self._records.values():
            if record["arn"] == arn:
                return record
        raise ServiceError("ResourceNotFoundException", f"{arn} does not exist")

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._records))
        partial.replace(self._path)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _check_structure(declaration: Mapping[str, Any]) -> None:
    """Refuse what CodePipeline refuses: fewer than two stages, or no source first."""
    stages = declaration["stages"]
    if len(stages) < 2:  # noqa: PLR2004  AWS's own rule
        _refuse(f"Pipeline should have at least 2 stages, has {len(stages)}")
    categories = [
        {each["actionTypeId"]["category"] for each in stage["actions"]} for stage in stages
    ]
    if categories[0] != {"Source"}:
        _refuse("Pipeline should start with a stage that only contains source actions")
    _check_artefacts(stages)
    for stage in stages:
        _check_conditions(stage)


def _check_artefacts(stages: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an action that takes what no action before it makes."""
    produced: set[str] = set()
    for stage in stages:
        for action in sorted(stage["actions"], key=lambda each: int(each.get("runOrder", 1))):
            missing = {each["name"] for each in action.get("inputArtifacts", [])} - produced
            if missing:
                _refuse(f"Input artifacts {sorted(missing)} of {action['name']} are not declared")
            produced |= {each["name"] for each in action.get("outputArtifacts", [])}


def _check_conditions(stage: Mapping[str, Any]) -> None:
    """Refuse what could not be judged when the stage is entered or has ended."""
    if "onSuccess" in stage or stage.get("onFailure", {}).get("conditions"):
        _refuse(f"The embedded AWS judges conditions of entry alone; {stage['name']} has others")
    if "beforeEntry" in stage:
        try:
            check(stage["beforeEntry"])
        except ConditionError as error:
            _refuse(f"{stage['name']}: {error}")


def _refuse(message: str) -> None:
    raise ServiceError("InvalidStructureException", message)
