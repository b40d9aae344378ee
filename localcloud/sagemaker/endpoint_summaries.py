"""Endpoints as DescribeEndpoint tells them: their variants, and the deployment under way."""

from __future__ import annotations

from localcloud.sagemaker.scope import Document, now

COUNT = "DesiredInstanceCount"
WEIGHT = "DesiredWeight"


def described(endpoint: Document) -> Document:
    """Add what an endpoint runs to what is stored of it."""
    if endpoint["EndpointStatus"] in ("Creating", "Failed"):
        return endpoint
    plan, capacity = endpoint["Plan"], endpoint.get("Capacity", {})
    return {**endpoint, **_variants(plan, capacity), **_captured(plan)}


def counts_of(plan: Document, capacity: Document) -> dict[str, int]:
    """Tell how many instances each variant has: as scaled since, or as its config says."""
    return {
        variant["VariantName"]: _count(variant, capacity.get(variant["VariantName"], {}))
        for variant in (*plan["Variants"], *plan.get("Shadows", []))
    }


def pending(config_name: str, plan: Document, stage: str, started: float) -> Document:
    """Summarise a deployment under way."""
    status = {"Status": stage, "StartTime": now()}
    return {
        "EndpointConfigName": config_name,
        "StartTime": started,
        **_variants(plan, {}, VariantStatus=[status]),
    }


def _variants(plan: Document, capacity: Document, **also: object) -> Document:
    kinds = {"ProductionVariants": "Variants", "ShadowProductionVariants": "Shadows"}
    return {
        kind: [
            {**_variant(each, plan, capacity.get(each["VariantName"], {})), **also}
            for each in plan[member]
        ]
        for kind, member in kinds.items()
        if plan.get(member)
    }


def _captured(plan: Document) -> Document:
    config = plan.get("Capture")
    if not config:
        return {}
    enabled = config.get("EnableCapture", True)
    summary = {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId"),
    }
    return {"DataCaptureConfig": summary}


def _count(variant: Document, capacity: Document) -> int:
    if "ServerlessConfig" in variant:
        return 1
    return int(capacity.get(COUNT) or variant.get("InitialInstanceCount", 1))


def _variant(variant: Document, plan: Document, capacity: Document) -> Document:
    model = plan["Models"][variant["ModelName"]]
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    images = [{"SpecifiedImage": c["Image"], "ResolvedImage": c["Image"]} for c in containers]
    weight = capacity.get(WEIGHT, variant.get("InitialVariantWeight", 1.0))
    summary: Document = {
        "VariantName": variant["VariantName"],
        "DeployedImages": images,
        "CurrentWeight": weight,
        WEIGHT: weight,
    }
    if "ServerlessConfig" in variant:
        return {**summary, "CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = _count(variant, capacity)
    return {**summary, "CurrentInstanceCount": count, COUNT: count}
