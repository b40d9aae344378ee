"""What the pipeline keeps outside of itself: artefacts, images, and the key that signs them."""

from __future__ import annotations

from dataclasses import dataclass

from stacks.common.bucket import DataBucket
from stacks.foundation.image_repository import ImageRepository
from stacks.foundation.model_registry import ModelRegistry


@dataclass(frozen=True, kw_only=True)
class PipelineStores:
    """The foundation's stores that the pipeline uses."""

    artefacts: DataBucket
    images: ImageRepository
    registry: ModelRegistry
