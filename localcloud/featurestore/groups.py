"""Feature groups: created, described, listed, changed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from localcloud.featurestore import catalog, online_store
from localcloud.featurestore.database import Database
from localcloud.featurestore.definition import KIND, definition_of, group_name
from localcloud.featurestore.offline_store import Objects, OfflineStore
from localcloud.registry import Call, ServiceError
from localcloud.sagemaker.errors import in_use, invalid, unsupported
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

RESERVED = ("is_deleted", "write_time", "api_invocation_time")
SUMMARY = (
    "FeatureGroupName",
    "FeatureGroupArn",
    "CreationTime",
    "FeatureGroupStatus",
    "OfflineStoreStatus",
)
Service = Callable[[str], Any]
"""Service name -> a client that acts for Feature Store itself."""


class FeatureGroups:
    """The control plane."""

    def __init__(
        self,
        store: Store,
        tags: Tags,
        database: Database,
        *,
        offline: OfflineStore,
        objects: Objects,
        service: Service,
    ) -> None:
        self._store = store
        self._tags = tags
        self._database = database
        self._offline = offline
        self._objects = objects
        self._service = service

    def create(self, call: Call) -> Document:
        """Create a feature group; it is ready when the call returns."""
        request, scope = dict(call.parameters), Scope.of(call)
        name, tags = request["FeatureGroupName"], request.pop("Tags", [])
        arn = scope.arn(KIND, name)
        if self._store.find(scope, KIND, name):
            raise in_use(f"Resource Already Exists: FeatureGroup with name {name} already exists.")
        _check_request(request)
        document = {
            **request,
            "FeatureGroupArn": arn,
            "CreationTime": now(),
            "FeatureGroupStatus": "Created",
        }
        if "OfflineStoreConfig" in request:
            document |= self._offline_store(scope, document)
        if not self._store.add(scope, KIND, name, document):
            raise in_use(f"Resource Already Exists: FeatureGroup with name {name} already exists.")
        self._tags.set(scope, arn, tags)
        return {"FeatureGroupArn": arn}

    def _offline_store(self, scope: Scope, group: Document) -> Document:
        """Resolve where files go, see that the role may write there, make the table."""
        offline = dict(group["OfflineStoreConfig"])
        storage, name = dict(offline["S3StorageConfig"]), group["FeatureGroupName"]
        created_at = group["CreationTime"]
        storage["ResolvedOutputS3Uri"] = (
            f"{storage['S3Uri'].rstrip('/')}/{scope.account}/sagemaker/{scope.region}/"
            f"offline-store/{name}-{int(created_at)}/data"
        )
        offline["S3StorageConfig"] = storage
        self._check_role(group["RoleArn"], storage["S3Uri"])
        table = catalog.table_of(name, created_at, offline)
        if table is not None:
            offline["DataCatalogConfig"] = table
        if not offline.get("DisableGlueTableCreation"):
            catalog.create_table(self._service("glue"), {**group, "OfflineStoreConfig": offline})
        return {"OfflineStoreConfig": offline, "OfflineStoreStatus": {"Status": "Active"}}

    def _check_role(self, role: str, uri: str) -> None:
        try:
            self._objects(role).get_bucket_acl(Bucket=urlparse(uri).netloc)
        except ClientError as error:
            message = (
                f"Invalid S3Uri provided: {uri}: the role {role} must be allowed s3:GetBucketAcl "
                f"and s3:PutObject there: {error}"
            )
            raise invalid(message) from error

    def describe(self, call: Call) -> Document:
        """Describe a feature group, with the size of its online store."""
        scope = Scope.of(call)
        document = self._find(scope, call.parameters["FeatureGroupName"])
        if document.get("OnlineStoreConfig", {}).get("EnableOnlineStore"):
            with self._database.transaction() as rows:
                size = online_store.size_bytes(rows, definition_of(scope, document))
            document["OnlineStoreTotalSizeBytes"] = size
        return document

    def describe_feature(self, call: Call) -> Document:
        """Describe one feature."""
        group = self._find(Scope.of(call), call.parameters["FeatureGroupName"])
        wanted = call.parameters["FeatureName"]
        for each in group["FeatureDefinitions"]:
            if each["FeatureName"] == wanted:
                times = dict.fromkeys(("CreationTime", "LastModifiedTime"), group["CreationTime"])
                return {**group, **times, **each}
        raise _not_found(f"Feature {wanted} of FeatureGroup {group['FeatureGroupName']}")

    def list(self, call: Call) -> Document:
        """List feature groups."""
        status = call.parameters.get("FeatureGroupStatusEquals")
        request = {**call.parameters, **({"StatusEquals": status} if status else {})}
        wanted = call.parameters.get("OfflineStoreStatusEquals")
        groups = [
            group
            for group in self._store.all(Scope.of(call), KIND)
            if wanted is None or group.get("OfflineStoreStatus", {}).get("Status") == wanted
        ]
        found, token = page(
            groups, request, name="FeatureGroupName", status="FeatureGroupStatus", fields=SUMMARY
        )
        return {"FeatureGroupSummaries": found, **({"NextToken": token} if token else {})}

    def update(self, call: Call) -> Document:
        """Add features, or set how long records live."""
        scope, request = Scope.of(call), call.parameters
        group = self._find(scope, request["FeatureGroupName"])
        changes: Document = {}
        if "FeatureAdditions" in request:
            definitions = [*group["FeatureDefinitions"], *request["FeatureAdditions"]]
            _check_definitions(definitions)
            changes["FeatureDefinitions"] = definitions
        if "OnlineStoreConfig" in request:
            changes["OnlineStoreConfig"] = _online(group, request["OnlineStoreConfig"])
        if "ThroughputConfig" in request:
            throughput = {**group.get("ThroughputConfig", {}), **request["ThroughputConfig"]}
            changes["ThroughputConfig"] = throughput
        self._change(scope, group, changes)
        return {"FeatureGroupArn": group["FeatureGroupArn"]}

    def _change(self, scope: Scope, group: Document, changes: Document) -> None:
        offline = group.get("OfflineStoreConfig")
        if "FeatureDefinitions" in changes and offline:
            self._offline.flush(again=True)
            if not offline.get("DisableGlueTableCreation"):
                catalog.update_table(self._service("glue"), {**group, **changes})
        done = {"LastModifiedTime": now(), "LastUpdateStatus": {"Status": "Successful"}}
        self._store.change(scope, KIND, group["FeatureGroupName"], **changes, **done)

    def delete(self, call: Call) -> Document:
        """Delete a feature group and its online records; files and table stay."""
        scope = Scope.of(call)
        group = self._find(scope, call.parameters["FeatureGroupName"])
        self._offline.flush(again=True)
        self._store.remove(scope, KIND, group["FeatureGroupName"])
        self._tags.forget(scope, group["FeatureGroupArn"])
        with self._database.transaction() as rows:
            online_store.drop(rows, definition_of(scope, group))
        return {}

    def _find(self, scope: Scope, name_or_arn: str) -> Document:
        group = self._store.find(scope, KIND, group_name(name_or_arn))
        if group is None:
            raise _not_found(f"FeatureGroup {group_name(name_or_arn)}")
        return group


def _not_found(what: str) -> ServiceError:
    return ServiceError("ResourceNotFound", f"Resource Not Found: {what} does not exist.")


def _check_request(request: Document) -> None:
    _check_definitions(request["FeatureDefinitions"])
    types = {each["FeatureName"]: each["FeatureType"] for each in request["FeatureDefinitions"]}
    identifier, time = request["RecordIdentifierFeatureName"], request["EventTimeFeatureName"]
    for name in (identifier, time):
        if name not in types:
            raise invalid(f"Feature {name} is not in FeatureDefinitions.")
    if identifier == time:
        raise invalid("RecordIdentifierFeatureName and EventTimeFeatureName must differ.")
    if types[time] == "Integral":
        raise invalid(f"The event time {time} must be of type String or Fractional.")
    online = request.get("OnlineStoreConfig", {})
    _check_stores(request, online)


def _check_stores(request: Document, online: Mapping[str, Any]) -> None:
    offline = request.get("OfflineStoreConfig")
    if not online.get("EnableOnlineStore") and offline is None:
        raise invalid("At least one of OnlineStoreConfig and OfflineStoreConfig must be enabled.")
    if online.get("StorageType") == "InMemory":
        raise unsupported("StorageType InMemory")
    if offline is not None:
        _check_offline(offline, request.get("RoleArn"))


def _check_offline(offline: Mapping[str, Any], role: str | None) -> None:
    if offline.get("TableFormat") == "Iceberg":
        raise unsupported("TableFormat Iceberg")
    if role is None:
        raise invalid("RoleArn must be given together with OfflineStoreConfig.")
    if "ResolvedOutputS3Uri" in offline["S3StorageConfig"]:
        raise invalid("ResolvedOutputS3Uri is chosen by Feature Store and cannot be given.")


def _check_definitions(definitions: Sequence[Mapping[str, Any]]) -> None:
    names = [each["FeatureName"] for each in definitions]
    for name in names:
        if name.lower() in RESERVED:
            raise invalid(f"A feature cannot be named {name}: reserved are {', '.join(RESERVED)}.")
        if names.count(name) > 1:
            raise invalid(f"Feature {name} stands twice in the feature group.")
    if any("CollectionType" in each for each in definitions):
        raise unsupported("features that are collections")


def _online(group: Document, update: Mapping[str, Any]) -> Document:
    online = dict(group.get("OnlineStoreConfig", {}))
    if not online.get("EnableOnlineStore"):
        raise invalid(f"FeatureGroup {group['FeatureGroupName']} has no online store.")
    online |= {key: value for key, value in update.items() if key != "TtlDuration"}
    if update.get("TtlDuration"):
        online["TtlDuration"] = update["TtlDuration"]
    elif "TtlDuration" in update:
        online.pop("TtlDuration", None)
    return online
