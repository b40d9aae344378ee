"""A serverless variant has as many containers as requests at once, and none when nobody asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from localcloud.registry import ServiceError
from localcloud.sagemaker import serverless
from localcloud.sagemaker.serverless import ServerlessVariant
from localcloud.sagemaker.serving import NotHealthyError
from tests.e2e.localcloud.conftest import eventually


class FakeInstance:
    """Containers that are counted."""

    running = 0
    started = 0
    sick = False

    def __init__(self):
        self.containers = ["container"]

    def start(self):
        if FakeInstance.sick:
            raise NotHealthyError("it did not pass the ping health check")
        FakeInstance.running += 1
        FakeInstance.started += 1

    def stop(self):
        FakeInstance.running -= 1

    drain = stop


@pytest.fixture
def variant(monkeypatch):
    monkeypatch.setattr(serverless, "IDLE_SECONDS", 0.2)
    FakeInstance.running = FakeInstance.started = 0
    FakeInstance.sick = False
    return ServerlessVariant("v", 1.0, 2, FakeInstance)


def test_the_first_request_starts_a_container_and_the_next_finds_it(variant):
    first = variant.choose()
    assert FakeInstance.started == 0
    assert first.containers == ["container"]
    first.leave()

    second = variant.choose()

    assert second is first
    assert second.containers == ["container"]
    assert FakeInstance.started == 1


def test_requests_at_once_get_a_container_each_up_to_the_concurrency(variant):
    taken = [variant.choose(), variant.choose()]
    assert taken[0] is not taken[1]

    with pytest.raises(ServiceError, match="MaxConcurrency") as raised:
        variant.choose()
    assert raised.value.code == "ThrottlingException"

    taken[0].leave()
    assert variant.choose() is taken[0]


def test_never_more_requests_at_once_than_configured(variant):
    barrier = threading.Barrier(8)

    def ask(_):
        barrier.wait(10)
        try:
            return variant.choose()
        except ServiceError:
            return None

    with ThreadPoolExecutor(8) as pool:
        got = [found for found in pool.map(ask, range(8)) if found]

    assert len(got) == len(set(map(id, got))) == 2


def test_an_idle_container_goes_and_a_busy_one_stays(variant):
    busy, idle = variant.choose(), variant.choose()
    assert [busy.containers, idle.containers]
    assert FakeInstance.running == 2
    idle.leave()

    eventually(lambda: FakeInstance.running == 1)
    assert variant.instances == [busy]
    busy.leave()
    eventually(lambda: FakeInstance.running == 0)


def test_a_model_that_does_not_come_up_is_the_models_error_and_tried_anew(variant):
    FakeInstance.sick = True
    instance = variant.choose()
    with pytest.raises(ServiceError, match="ping health check"):
        instance.containers  # noqa: B018 - reading it starts them
    instance.leave()

    FakeInstance.sick = False
    assert variant.choose().containers == ["container"]


def test_an_endpoint_whose_model_does_not_come_up_is_not_created(variant):
    FakeInstance.sick = True

    with pytest.raises(NotHealthyError):
        variant.grow(1)
