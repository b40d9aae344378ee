"""Feature Store's runtime: records are put, read, deleted."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.featurestore import online_store
from localcloud.featurestore.database import Database
from localcloud.featurestore.definition import (
    KIND,
    OFFLINE,
    ONLINE,
    Definition,
    definition_of,
    group_name,
    lifetime,
)
from localcloud.featurestore.event_time import spelled
from localcloud.featurestore.offline_file import Row
from localcloud.featurestore.offline_store import OfflineStore
from localcloud.featurestore.record import Record, check
from localcloud.registry import Call, Operation, ServiceError
from localcloud.sagemaker.scope import Document, Scope
from localcloud.sagemaker.store import Store

PAGE = 100


class Records:
    """The operations on records."""

    def __init__(self, store: Store, database: Database, offline: OfflineStore) -> None:
        self._store = store
        self._database = database
        self._offline = offline

    def put(self, call: Call) -> Document:
        """Write a record: online if it is the latest, offline always."""
        request = call.parameters
        definition = self._definition(Scope.of(call), request["FeatureGroupName"])
        self._write([self._prepared(definition, request, None)])
        return {}

    def batch_write(self, call: Call) -> Document:
        """Write records of one or more groups; a refused one does not keep the others back."""
        scope, default = Scope.of(call), call.parameters.get("TtlDuration")
        known: dict[str, Definition] = {}
        prepared, errors = [], []
        for entry in call.parameters["Entries"]:
            try:
                name = entry["FeatureGroupName"]
                definition = known.get(name) or self._definition(scope, name)
                known[name] = definition
                prepared.append(self._prepared(definition, entry, default))
            except ServiceError as error:
                code = _runtime_code(error.code)
                errors.append({"Entry": entry, "ErrorCode": code, "ErrorMessage": error.message})
        self._write(prepared)
        return {"Errors": errors, "UnprocessedEntries": []}

    def _prepared(
        self, definition: Definition, entry: Mapping[str, Any], default: Mapping[str, Any] | None
    ) -> tuple[Definition, Record, frozenset[str], int | None]:
        record = check(definition, entry["Record"])
        stores = _target(definition, entry.get("TargetStores"))
        own = lifetime(entry.get("TtlDuration") or default)
        return definition, record, stores, definition.lifetime if own is None else own

    def _write(
        self, prepared: Sequence[tuple[Definition, Record, frozenset[str], int | None]]
    ) -> None:
        invoked_at = time.time()
        with self._database.transaction() as rows:
            for definition, record, stores, lives in prepared:
                if ONLINE in stores:
                    online_store.put(rows, definition, record, lives)
                if OFFLINE in stores:
                    row = Row(record.event_time, record.values, invoked_at, is_deleted=False)
                    self._offline.append(rows, definition, row)

    def get(self, call: Call) -> Document:
        """Read the latest record; none is an empty answer."""
        request = call.parameters
        definition = self._online(Scope.of(call), request["FeatureGroupName"])
        names = _wanted(definition, request.get("FeatureNames"))
        identifier = request["RecordIdentifierValueAsString"]
        with self._database.transaction() as rows:
            found = online_store.find(rows, definition, identifier)
        if found is None:
            return {}
        return _record(found, names, request)

    def batch_get(self, call: Call) -> Document:
        """Read records of one or more groups; those that are not there are left out."""
        scope, request = Scope.of(call), call.parameters
        records, errors = [], []
        for asked in request["Identifiers"]:
            name, wanted = asked["FeatureGroupName"], asked["RecordIdentifiersValueAsString"]
            try:
                found = self._several(scope, asked)
            except ServiceError as error:
                code = _runtime_code(error.code)
                said = {"FeatureGroupName": name, "ErrorCode": code, "ErrorMessage": error.message}
                errors += [{**said, "RecordIdentifierValueAsString": each} for each in wanted]
                continue
            for identifier, (values, names) in found.items():
                entry = {"FeatureGroupName": name, "RecordIdentifierValueAsString": identifier}
                records.append({**entry, **_record(values, names, request)})
        return {"Records": records, "Errors": errors, "UnprocessedIdentifiers": []}

    def _several(
        self, scope: Scope, asked: Mapping[str, Any]
    ) -> dict[str, tuple[online_store.Found, Sequence[str]]]:
        definition = self._online(scope, asked["FeatureGroupName"])
        names = _wanted(definition, asked.get("FeatureNames"))
        with self._database.transaction() as rows:
            found = {
                identifier: online_store.find(rows, definition, identifier)
                for identifier in asked["RecordIdentifiersValueAsString"]
            }
        return {key: (value, names) for key, value in found.items() if value is not None}

    def list(self, call: Call) -> Document:
        """List the identifiers of the online store, in their order."""
        request = call.parameters
        definition = self._online(Scope.of(call), request["FeatureGroupName"])
        after = base64.b64decode(request.get("NextToken", "")).decode()
        count = request.get("MaxResults", PAGE)
        shown = request.get("IncludeSoftDeletedRecords", False)
        with self._database.transaction() as rows:
            found = online_store.identifiers(rows, definition, after, count + 1, deleted=shown)
        answer: Document = {"RecordIdentifiers": found[:count]}
        if len(found) > count:
            answer["NextToken"] = base64.b64encode(found[count - 1].encode()).decode()
        return answer

    def delete(self, call: Call) -> Document:
        """Delete a record online, softly unless asked for more; leave a marker offline."""
        request = call.parameters
        definition = self._definition(Scope.of(call), request["FeatureGroupName"])
        marker = {
            definition.identifier: request["RecordIdentifierValueAsString"],
            definition.event_time: request["EventTime"],
        }
        given = [{"FeatureName": name, "ValueAsString": value} for name, value in marker.items()]
        record = check(definition, given)
        stores = _target(definition, request.get("TargetStores"))
        with self._database.transaction() as rows:
            if ONLINE in stores:
                _delete(rows, definition, record, request.get("DeletionMode", "SoftDelete"))
            if OFFLINE in stores:
                row = Row(record.event_time, record.values, time.time(), is_deleted=True)
                self._offline.append(rows, definition, row)
        return {}

    def _online(self, scope: Scope, name: str) -> Definition:
        definition = self._definition(scope, name)
        if ONLINE not in definition.stores:
            raise _refusal(f"FeatureGroup {definition.name} has no online store.")
        return definition

    def _definition(self, scope: Scope, name_or_arn: str) -> Definition:
        group = self._store.find(scope, KIND, group_name(name_or_arn))
        if group is None:
            message = f"Resource Not Found: FeatureGroup {group_name(name_or_arn)} does not exist."
            raise ServiceError("ResourceNotFound", message, 404)
        return definition_of(scope, group)


def worded(operation: Operation) -> Operation:
    """Refuse in the runtime's words: what the control plane calls an exception is an error here."""

    def answer(call: Call) -> Mapping[str, Any]:
        try:
            return operation(call)
        except ServiceError as error:
            error.code = _runtime_code(error.code)
            raise

    return answer


def _runtime_code(code: str) -> str:
    return "ValidationError" if code == "ValidationException" else code


def _refusal(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def _delete(rows: sqlite3.Connection, definition: Definition, record: Record, mode: str) -> None:
    if mode == "SoftDelete":
        online_store.soft_delete(rows, definition, record)
    elif not online_store.hard_delete(rows, definition, record):
        time = record.values[definition.event_time]
        raise _refusal(f"EventTime: {time} must be later than that of the existing record.")


def _target(definition: Definition, wanted: Sequence[str] | None) -> frozenset[str]:
    if wanted is None:
        return definition.stores
    missing = sorted(set(wanted) - definition.stores)
    if missing:
        raise _refusal(f"FeatureGroup {definition.name} has no {', '.join(missing)}.")
    return frozenset(wanted)


def _wanted(definition: Definition, names: Sequence[str] | None) -> Sequence[str]:
    unknown = sorted(set(names or ()) - set(definition.types))
    if unknown:
        known = ", ".join(definition.types)
        message = f"FeatureGroup {definition.name} has no feature {', '.join(unknown)}; {known}"
        raise _refusal(message)
    return names or tuple(definition.types)


def _record(
    found: online_store.Found, names: Sequence[str], request: Mapping[str, Any]
) -> Document:
    values = [
        {"FeatureName": name, "ValueAsString": found.values[name]}
        for name in names
        if name in found.values
    ]
    answer: Document = {"Record": values}
    if request.get("ExpirationTimeResponse") == "Enabled":
        answer["ExpiresAt"] = "null" if found.expires_at is None else spelled(found.expires_at)
    return answer
