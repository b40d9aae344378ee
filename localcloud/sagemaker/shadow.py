"""Shadow variants: they get copies of requests beside the clients, who never see their answers."""

from __future__ import annotations

import contextvars
import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from localcloud.registry import ServiceError
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.variant import Variant

LOG = logging.getLogger(__name__)
COPIES_AT_ONCE = 8
COPIES_WAITING = 64
NOT_BESIDE = ("AsyncInferenceConfig", "ExplainerConfig")


class Shadow:
    """A variant and the copies on their way to it.

    What cannot be sent soon is not sent at all: a slow shadow loses copies, and nobody waits.
    """

    def __init__(self, variant: Variant, production: Variant) -> None:
        self.variant = variant
        self._production = production
        self._pool = ThreadPoolExecutor(COPIES_AT_ONCE, "shadow")
        self._room = threading.BoundedSemaphore(COPIES_AT_ONCE + COPIES_WAITING)
        # Sampling protects nothing.
        self._random = random.Random()  # noqa: S311

    def offer(self, send: Callable[[Variant], object]) -> None:
        """Send a copy of a request, if it is among those that the weights choose."""
        if self._random.random() >= self._share() or not self._room.acquire(blocking=False):
            return
        # Metrics go to the account and region of the request that is copied.
        context = contextvars.copy_context()
        self._pool.submit(context.run, self._send, send)

    def close(self) -> None:
        """Send no further copy; those that wait are given up."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _share(self) -> float:
        return self.variant.weight / self._production.weight if self._production.weight else 0.0

    def _send(self, send: Callable[[Variant], object]) -> None:
        try:
            send(self.variant)
        except ServiceError as error:
            LOG.info("shadow %s: %s", self.variant.name, error)
        except Exception:
            LOG.exception("shadow %s", self.variant.name)
        finally:
            self._room.release()


def check_shadows(config: Document, model_named: Callable[[str], Document]) -> None:
    """Refuse a config whose shadow variants SageMaker does not run."""
    shadows, production = config.get("ShadowProductionVariants", []), config["ProductionVariants"]
    if not shadows:
        return
    if len(shadows) != 1 or len(production) != 1:
        raise invalid(
            f"{len(shadows)} ShadowProductionVariants and {len(production)} ProductionVariants are "
            "given; there must be exactly one of each."
        )
    if shadows[0]["VariantName"] == production[0]["VariantName"]:
        raise invalid(f"Variant name {shadows[0]['VariantName']} is given twice.")
    both = (*production, *shadows)
    models = [model_named(each["ModelName"]) for each in both]
    beside = [feature for feature in NOT_BESIDE if config.get(feature)]
    beside += ["ServerlessConfig" for each in both if each.get("ServerlessConfig")]
    beside += ["a model of several containers" for m in models if len(m.get("Containers", [])) > 1]
    if beside:
        raise invalid(f"ShadowProductionVariants cannot be used with {beside[0]}.")
