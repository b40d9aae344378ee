"""Query executions: each a thread that runs one query as its caller."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localcloud.athena import results, work_groups
from localcloud.athena.catalog import Catalog
from localcloud.athena.errors import QueryError, ScanLimitError, Stopped
from localcloud.athena.identity import environment_of
from localcloud.athena.objects import Objects
from localcloud.athena.result import Result
from localcloud.jobs.host import client
from localcloud.registry import Call, ServiceError

if TYPE_CHECKING:
    from localcloud.athena.engine import Engine

KEPT = 200
"""Executions that are remembered, with their results."""
_ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}
_USER_ERROR, _SYSTEM_ERROR = 2, 1


@dataclass
class Execution:
    """One query on its way, and what became of it."""

    query_id: str
    query: str
    parameters: list[str]
    database: str
    group: work_groups.WorkGroup
    output: work_groups.Output
    submitted: datetime
    state: str = "QUEUED"
    reason: str = ""
    error_category: int = 0
    completed: datetime | None = None
    result: Result | None = None
    engine: Engine | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def uri(self) -> str:
        """Address of the result."""
        return f"{self.output.location.rstrip('/')}/{self.query_id}.csv"

    def end(self, state: str, reason: str = "", category: int = 0) -> None:
        """Settle what became of it; the first word is the last."""
        with self.lock:
            if self.state not in _ENDED:
                self.state, self.reason, self.error_category = state, reason, category
                self.completed = datetime.now(UTC)


class Executions:
    """The executions that are remembered, newest last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Execution] = OrderedDict()
        self._tokens: dict[str, str] = {}

    def start(self, call: Call) -> Mapping[str, Any]:
        """Start a query; the same request token gives the same execution."""
        asked = call.parameters
        token = asked.get("ClientRequestToken", uuid.uuid4().hex)
        group = work_groups.find(asked.get("WorkGroup", work_groups.PRIMARY))
        output = group.output(asked.get("ResultConfiguration", {}))
        output.put_arguments()
        with self._lock:
            if token in self._tokens:
                return {"QueryExecutionId": self._tokens[token]}
            execution = Execution(
                query_id=str(uuid.uuid4()),
                query=asked["QueryString"],
                parameters=list(asked.get("ExecutionParameters", [])),
                database=asked.get("QueryExecutionContext", {}).get("Database", "default"),
                group=group,
                output=output,
                submitted=datetime.now(UTC),
            )
            self._remember(token, execution)
        environment = environment_of(call.caller)
        run = threading.Thread(
            target=_run, args=(execution, environment, self._folder), daemon=True
        )
        run.start()
        return {"QueryExecutionId": execution.query_id}

    def describe(self, call: Call) -> Mapping[str, Any]:
        """Describe an execution."""
        return {"QueryExecution": _described(self.find(call.parameters["QueryExecutionId"]))}

    def describe_many(self, call: Call) -> Mapping[str, Any]:
        """Describe executions; name those that are not known."""
        asked = call.parameters["QueryExecutionIds"]
        unknown = [query_id for query_id in asked if query_id not in self._known]
        return {
            "QueryExecutions": [_described(self._known[i]) for i in asked if i in self._known],
            "UnprocessedQueryExecutionIds": [
                {"QueryExecutionId": query_id, "ErrorCode": "NOT_FOUND", "ErrorMessage": "Unknown"}
                for query_id in unknown
            ],
        }

    def results(self, call: Call) -> Mapping[str, Any]:
        """Give a page of an execution's result."""
        execution = self.find(call.parameters["QueryExecutionId"])
        if execution.result is None or execution.state != "SUCCEEDED":
            message = f"Query did not finish successfully. Final query state: {execution.state}"
            if execution.state not in _ENDED:
                message = f"Query has not yet finished. Current state: {execution.state}"
            raise ServiceError("InvalidRequestException", message)
        first = results.place_of(call.parameters.get("NextToken"))
        size = call.parameters.get("MaxResults", results.PAGE_ROWS)
        return results.page(execution.result, first, size)

    def stop(self, call: Call) -> Mapping[str, Any]:
        """Stop an execution; one that has ended stays as it is."""
        execution = self.find(call.parameters["QueryExecutionId"])
        execution.end("CANCELLED", "Query cancelled by user")
        if execution.engine is not None:
            execution.engine.stop()
        return {}

    def list(self, call: Call) -> Mapping[str, Any]:
        """List the executions of a work group, newest first."""
        name = call.parameters.get("WorkGroup", work_groups.PRIMARY)
        work_groups.find(name)
        of_group = [i for i, each in reversed(self._known.items()) if each.group.name == name]
        first = results.place_of(call.parameters.get("NextToken"))
        last = first + call.parameters.get("MaxResults", 50)
        more = {"NextToken": str(last)} if last < len(of_group) else {}
        return {"QueryExecutionIds": of_group[first:last], **more}

    def find(self, query_id: str) -> Execution:
        """Find an execution."""
        if query_id not in self._known:
            message = f"QueryExecution {query_id} was not found"
            raise ServiceError("InvalidRequestException", message)
        return self._known[query_id]

    def __contains__(self, query_id: str) -> bool:
        """Tell whether an execution is remembered."""
        return query_id in self._known

    def _remember(self, token: str, execution: Execution) -> None:
        self._known[execution.query_id] = execution
        self._tokens[token] = execution.query_id
        while len(self._known) > KEPT:
            forgotten, _ = self._known.popitem(last=False)
            self._tokens = {t: i for t, i in self._tokens.items() if i != forgotten}


def _run(execution: Execution, environment: Mapping[str, str], folder: Path) -> None:
    try:
        _answer(execution, environment, folder)
    except Exception as error:  # noqa: BLE001  whatever it is, the query's owner must hear of it
        for kind, state, category, reason in _FAILURES:
            if isinstance(error, kind):
                execution.end(state, reason(error), category)
                return
    finally:
        shutil.rmtree(folder / execution.query_id, ignore_errors=True)


def _answer(execution: Execution, environment: Mapping[str, str], folder: Path) -> None:
    # The first query pays for DuckDB and the translator, not every start of the embedded AWS.
    from localcloud.athena.engine import Engine  # noqa: PLC0415
    from localcloud.athena.statement import translate  # noqa: PLC0415

    if execution.state in _ENDED:
        return
    execution.state = "RUNNING"
    statement = translate(execution.query, execution.database, execution.parameters)
    s3 = client("s3", environment)
    objects = Objects(s3, folder / execution.query_id)
    catalog = Catalog(client("glue", environment))
    execution.engine = Engine(catalog, objects, execution.group.scan_limit)
    result = execution.engine.run(statement)
    results.write(s3, execution.uri, execution.output, result)
    execution.result = result
    execution.end("SUCCEEDED")


def _refusal(error: Exception) -> str:
    text = str(error)
    return f"Insufficient permissions to execute the query. {text}" if "Denied" in text else text


_FAILURES: tuple[tuple[type[Exception], str, int, Callable[[Exception], str]], ...] = (
    (Stopped, "CANCELLED", 0, lambda _: "Query cancelled by user"),
    (ScanLimitError, "CANCELLED", _USER_ERROR, lambda _: str(ScanLimitError.__doc__)),
    (QueryError, "FAILED", _USER_ERROR, str),
    (ClientError, "FAILED", _USER_ERROR, _refusal),
    (Exception, "FAILED", _SYSTEM_ERROR, repr),
)


def _described(execution: Execution) -> dict[str, Any]:
    ended = execution.completed or datetime.now(UTC)
    milliseconds = int((ended - execution.submitted).total_seconds() * 1000)
    version = "Athena engine version 3"
    return {
        "QueryExecutionId": execution.query_id,
        "Query": execution.query,
        "StatementType": "DML",
        "ResultConfiguration": {"OutputLocation": execution.uri},
        "QueryExecutionContext": {"Database": execution.database, "Catalog": "awsdatacatalog"},
        "Status": _status(execution),
        "Statistics": {
            "EngineExecutionTimeInMillis": milliseconds,
            "TotalExecutionTimeInMillis": milliseconds,
            "DataScannedInBytes": execution.result.scanned_bytes if execution.result else 0,
        },
        "WorkGroup": execution.group.name,
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": version},
    }


def _status(execution: Execution) -> dict[str, Any]:
    status: dict[str, Any] = {
        "State": execution.state,
        "SubmissionDateTime": execution.submitted,
    }
    if execution.completed:
        status["CompletionDateTime"] = execution.completed
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.error_category:
        status["AthenaError"] = {
            "ErrorCategory": execution.error_category,
            "ErrorMessage": execution.reason,
        }
    return status
