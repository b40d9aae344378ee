"""All instances of one endpoint configuration, and the choice of the one that answers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from localcloud.jobs.host import Host, client
from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.layout import role_of
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.serverless import ServerlessVariant
from localcloud.sagemaker.serving import Deployment
from localcloud.sagemaker.shadow import Shadow
from localcloud.sagemaker.variant import Variant, at_once

Capacity = Mapping[str, Document]
"""By variant: the instances and the weight that it was given since its configuration was made."""


class Fleet:
    """Started as a whole or not at all; drained before it is stopped."""

    def __init__(self, host: Host, endpoint: str, plan: Document, config_name: str) -> None:
        self.config_name = config_name
        self._production = [
            _variant(host, endpoint, each, plan["Models"]) for each in plan["Variants"]
        ]
        mirrored = [
            _variant(host, endpoint, each, plan["Models"]) for each in plan.get("Shadows", [])
        ]
        self.variants = [*self._production, *mirrored]
        self.shadow = Shadow(mirrored[0], self._production[0]) if mirrored else None
        self.capture = _capture(host, endpoint, plan)
        # Weights spread load; they protect nothing.
        self._random = random.Random()  # noqa: S311

    def start(self, counts: Mapping[str, int]) -> None:
        """Start all instances side by side; the first failure stops them all."""
        try:
            with ThreadPoolExecutor(len(self.variants)) as pool:
                growing = [pool.submit(v.grow, counts[v.name]) for v in self.variants]
                for started in growing:
                    started.result()
        except Exception:
            self.stop()
            raise

    def choose(self, target: str | None) -> Variant | None:
        """Choose the variant that was asked for, or one by weight."""
        if target:
            return next((v for v in self._production if v.name == target), None)
        weights = [v.weight for v in self._production]
        if not any(weights):
            return self._production[0]
        return self._random.choices(self._production, weights)[0]

    def drain(self) -> None:
        """Wait until the requests under way are answered, then stop."""
        if self.shadow:
            self.shadow.close()
        at_once(lambda each: each.drain(), self._instances())
        if self.capture:
            self.capture.write()

    def abandon(self) -> None:
        """Restart no instance from now on."""
        for each in self._instances():
            each.abandon()

    def stop(self) -> None:
        """Stop all instances."""
        if self.shadow:
            self.shadow.close()
        at_once(lambda each: each.stop(), self._instances())

    def _instances(self) -> Iterator[Instance]:
        return itertools.chain.from_iterable(v.instances for v in self.variants)


def _capture(host: Host, endpoint: str, plan: Document) -> Capture | None:
    """Capture as the role of the first variant's model."""
    config = plan.get("Capture") or {}
    if not config or not config.get("EnableCapture", True):
        return None
    role = plan["Models"][plan["Variants"][0]["ModelName"]]["ExecutionRoleArn"]
    return Capture(endpoint, config, lambda: client("s3", role_of(host, role)))


def _variant(host: Host, endpoint: str, variant: Document, models: Document) -> Variant:
    deployment = Deployment(endpoint, variant, models[variant["ModelName"]])
    name, weight = variant["VariantName"], float(variant.get("InitialVariantWeight", 1.0))

    def make() -> Instance:
        return Instance(host, deployment)

    if "ServerlessConfig" in variant:
        return ServerlessVariant(name, weight, variant["ServerlessConfig"]["MaxConcurrency"], make)
    return Variant(name, weight, make)
