"""A shadow gets copies by the weights, and whatever it does, no request waits for it."""

from __future__ import annotations

import threading
import time

import pytest

from localcloud.registry import ServiceError
from localcloud.sagemaker.capture import check_capture
from localcloud.sagemaker.shadow import COPIES_AT_ONCE, COPIES_WAITING, Shadow, check_shadows
from localcloud.sagemaker.variant import Variant


class NoInstance:
    """These tests start none."""


def shadow(weight: float, production: float = 1.0) -> Shadow:
    return Shadow(Variant("new", weight, NoInstance), Variant("old", production, NoInstance))


@pytest.mark.parametrize(
    ("weight", "production", "least", "most"),
    [(1.0, 1.0, 600, 600), (0.5, 1.0, 230, 370), (1.0, 4.0, 95, 205), (0.0, 1.0, 0, 0)],
)
def test_the_share_of_copies_is_the_ratio_of_the_weights(weight, production, least, most):
    sent = []
    for _ in range(10):  # as many at a time as there is room for
        mirrored = shadow(weight, production)
        for _ in range(60):
            mirrored.offer(sent.append)
        mirrored._pool.shutdown(wait=True)
    assert least <= len(sent) <= most


def test_a_shadow_that_hangs_loses_copies_and_no_request_waits():
    hanging, sent = threading.Event(), []
    mirrored = shadow(1.0)

    def send(variant):
        sent.append(variant.name)
        hanging.wait()

    started = time.monotonic()
    for _ in range(1000):
        mirrored.offer(send)
    took = time.monotonic() - started
    mirrored.close()
    hanging.set()
    mirrored._pool.shutdown(wait=True)
    assert took < 5
    assert len(sent) <= COPIES_AT_ONCE + COPIES_WAITING


def test_a_shadow_that_fails_goes_on_getting_copies():
    sent = []
    mirrored = shadow(1.0)

    def send(variant):
        sent.append(variant.name)
        raise ServiceError("ModelError", "broken", 424)

    for _ in range(5):
        mirrored.offer(send)
    mirrored._pool.shutdown(wait=True)
    assert sent == ["new"] * 5


def variant(name: str, **fields) -> dict:
    return {"VariantName": name, "ModelName": f"m-{name}", "InstanceType": "ml.m5.large", **fields}


ONE = variant("one")
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}


def plain(_model):
    return {"PrimaryContainer": {}}


def config(*shadows: dict, production=(ONE,), **fields) -> dict:
    return {
        "ProductionVariants": list(production),
        "ShadowProductionVariants": list(shadows),
        **fields,
    }


def test_one_shadow_beside_one_variant_is_taken():
    check_shadows(config(variant("two")), plain)
    check_shadows({"ProductionVariants": [ONE, variant("two")]}, plain)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (config(variant("two"), variant("three")), "exactly one of each"),
        (config(variant("three"), production=(ONE, variant("two"))), "exactly one of each"),
        (config(variant("one")), "given twice"),
        (config(variant("two", **SERVERLESS)), "ServerlessConfig"),
        (config(variant("two"), AsyncInferenceConfig={"OutputConfig": {}}), "AsyncInference"),
    ],
)
def test_what_sagemaker_refuses_is_refused(refused, why):
    with pytest.raises(ServiceError, match=why):
        check_shadows(refused, plain)


def test_models_of_several_containers_have_no_shadow():
    with pytest.raises(ServiceError, match="a model of several containers"):
        check_shadows(config(variant("two")), lambda _: {"Containers": [{}, {}]})


def test_serverless_variants_capture_nothing():
    with pytest.raises(ServiceError, match="DataCaptureConfig"):
        check_capture(
            {"ProductionVariants": [variant("one", **SERVERLESS)], "DataCaptureConfig": {"x": 1}}
        )
