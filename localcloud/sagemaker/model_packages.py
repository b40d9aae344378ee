"""Model packages: what a model is made of, versioned in a group or on its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from localcloud.jobs.host import Host
from localcloud.registry import Call, ServiceError
from localcloud.sagemaker import marketplace
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.model_package_groups import GROUP, PACKAGE, find_group
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

UNSUPPORTED = ("SourceAlgorithmSpecification", "ValidationSpecification", "CertifyForMarketplace")
SUMMARY = (
    *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn"),
    *("ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus"),
)
_REPLACED = (
    *("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri"),
    *("ModelCard", "ModelLifeCycle"),
)


class ModelPackages:
    """Creates, describes, updates, lists and deletes model packages."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags
        self._lock = threading.Lock()

    def create(self, call: Call) -> Document:
        """Create a package; in a group it is the next version."""
        scope, request = Scope.of(call), dict(call.parameters)
        _check(request)
        tags, token = request.pop("Tags", []), request.get("ClientToken")
        with self._lock:
            known = self._with_token(scope, token) if token else None
            if known:
                return {"ModelPackageArn": known["ModelPackageArn"]}
            identity, arn = self._identity(scope, request)
            document = {
                **self._defaults(request),
                **request,
                **identity,
                "InferenceSpecification": self._resolved(request["InferenceSpecification"]),
                "ModelPackageArn": arn,
            }
            if not self._store.add(scope, PACKAGE, _key(document), document):
                raise invalid(f"Model Package already exists: {arn}")
        self._tags.set(scope, arn, tags)
        return {"ModelPackageArn": arn}

    def describe(self, call: Call) -> Document:
        """Describe a package, by its name or ARN."""
        return find_package(self._store, Scope.of(call), call.parameters["ModelPackageName"])

    def update(self, call: Call) -> Document:
        """Change approval, metadata or what the package is made of."""
        scope, request = Scope.of(call), call.parameters
        package = find_package(self._store, scope, request["ModelPackageArn"])
        metadata = {
            **package.get("CustomerMetadataProperties", {}),
            **request.get("CustomerMetadataProperties", {}),
        }
        for gone in request.get("CustomerMetadataPropertiesToRemove", []):
            metadata.pop(gone, None)
        changes = {name: request[name] for name in _REPLACED if name in request}
        if "ModelApprovalStatus" in changes and "ModelPackageVersion" not in package:
            raise invalid("ModelApprovalStatus belongs to a package that is in a group.")
        self._store.change(
            scope,
            PACKAGE,
            _key(package),
            **changes,
            CustomerMetadataProperties=metadata,
            LastModifiedTime=now(),
        )
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def list(self, call: Call) -> Document:
        """List packages: of a group, or those without one."""
        scope, request = Scope.of(call), call.parameters
        packages = self._store.all(scope, PACKAGE)
        group = request.get("ModelPackageGroupName")
        if group:
            name = find_group(self._store, scope, group)["ModelPackageGroupName"]
            packages = [p for p in packages if p.get("ModelPackageGroupName") == name]
        else:
            kind = request.get("ModelPackageType", "Unversioned")
            packages = [p for p in packages if _is_of(kind, p)]
        wanted = request.get("ModelApprovalStatus")
        found, token = page(
            [
                {**p, "Key": _key(p)}
                for p in packages
                if wanted in (None, p.get("ModelApprovalStatus"))
            ],
            {"SortOrder": "Descending", **request},
            name="Key",
            status="ModelPackageStatus",
            fields=SUMMARY,
            by=(lambda p: (p["CreationTime"], p.get("ModelPackageVersion", 0)))
            if request.get("SortBy", "CreationTime") == "CreationTime"
            else None,
        )
        return {"ModelPackageSummaryList": found, **({"NextToken": token} if token else {})}

    def delete(self, call: Call) -> Document:
        """Delete a package; its version number is not given again."""
        scope, package = Scope.of(call), self.describe(call)
        self._store.remove(scope, PACKAGE, _key(package))
        self._tags.forget(scope, package["ModelPackageArn"])
        return {}

    def _with_token(self, scope: Scope, token: str) -> Document | None:
        packages = self._store.all(scope, PACKAGE)
        return next((p for p in packages if p.get("ClientToken") == token), None)

    def _identity(self, scope: Scope, request: Document) -> tuple[Document, str]:
        name = request.get("ModelPackageGroupName")
        if not name:
            return {}, scope.arn(PACKAGE, request["ModelPackageName"])
        group = find_group(self._store, scope, name)
        name, version = group["ModelPackageGroupName"], group["LatestVersion"] + 1
        self._store.change(scope, GROUP, name, LatestVersion=version)
        arn = scope.arn(PACKAGE, f"{name}/{version}")
        return {"ModelPackageGroupName": name, "ModelPackageVersion": version}, arn

    def _defaults(self, request: Document) -> Document:
        versioned = "ModelPackageGroupName" in request
        return {
            "CreationTime": now(),
            "CreatedBy": {},
            "CertifyForMarketplace": False,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            **({"ModelApprovalStatus": "PendingManualApproval"} if versioned else {}),
        }

    def _resolved(self, specification: Document) -> Document:
        containers = [self._with_digest(each) for each in specification["Containers"]]
        return {**specification, "Containers": containers}

    def _with_digest(self, container: Document) -> Document:
        """Note the digest that the image's name stands for now."""
        try:
            digest = self._host.resolve_image(container["Image"]).digest
        except ServiceError as error:
            raise invalid(f"Model package container: {error.message}") from error
        given = container.get("ImageDigest", digest)
        if given != digest:
            raise invalid(f"ImageDigest {given} is not that of {container['Image']}, {digest}.")
        return {**container, "ImageDigest": digest}


def container_of(store: Store, scope: Scope, given: Document) -> Document:
    """Return a model's container with the image and data of the package that it names."""
    name = given.get("ModelPackageName")
    if not name:
        return given
    if given.get("Image"):
        raise invalid("A container has either an Image or a ModelPackageName.")
    account = name.split(":")[4] if name.startswith("arn:") else scope.account
    if account != scope.account:
        marketplace.refuse_product("ModelPackageName", name)
    package = find_package(store, scope, name)
    status = package.get("ModelApprovalStatus", "Approved")
    if status != "Approved":
        raise invalid(
            f"Model package {package['ModelPackageArn']} has ModelApprovalStatus {status}; only "
            "an Approved one can be deployed."
        )
    containers = package["InferenceSpecification"]["Containers"]
    if len(containers) != 1:
        raise unsupported("a model package of more than one container")
    packaged = {
        key: containers[0][key]
        for key in ("Image", "ModelDataUrl", "ModelDataSource")
        if key in containers[0]
    }
    environment = {**containers[0].get("Environment", {}), **given.get("Environment", {})}
    return {**given, **packaged, "Environment": environment}


def find_package(store: Store, scope: Scope, name: str) -> Document:
    """Find a package by its name or ARN, or refuse."""
    for package in store.all(scope, PACKAGE):
        if name in (package["ModelPackageArn"], package.get("ModelPackageName")):
            return package
    arn = name if name.startswith("arn:") else scope.arn(PACKAGE, name)
    raise invalid(f"ModelPackage {arn} does not exist.")


def model_package_arn(scope: Scope, parameters: Mapping[str, Any]) -> str:
    """Tell the ARN that a request about a package is about."""
    group = parameters.get("ModelPackageGroupName")
    if group:
        return scope.arn(PACKAGE, f"{group.rsplit('/', 1)[-1]}/*")
    name = str(parameters.get("ModelPackageArn") or parameters.get("ModelPackageName", "*"))
    return name if name.startswith("arn:") else scope.arn(PACKAGE, name)


def _check(request: Document) -> None:
    for member in UNSUPPORTED:
        if request.get(member):
            raise unsupported(f"{member} of a model package")
    if bool(request.get("ModelPackageName")) == bool(request.get("ModelPackageGroupName")):
        raise invalid("Either ModelPackageName or ModelPackageGroupName must be given.")
    if request.get("ModelApprovalStatus") and not request.get("ModelPackageGroupName"):
        raise invalid("ModelApprovalStatus belongs to a package that is in a group.")
    if not request.get("InferenceSpecification"):
        raise invalid("InferenceSpecification must be given.")


def _key(package: Document) -> str:
    """Name a package in the store; neither names nor groups have dots."""
    if "ModelPackageVersion" not in package:
        return str(package["ModelPackageName"])
    return f"{package['ModelPackageGroupName']}.{package['ModelPackageVersion']}"


def _is_of(kind: str, package: Document) -> bool:
    versioned = "ModelPackageVersion" in package
    return kind == "Both" or versioned == (kind == "Versioned")
