"""What a member says of rows that it had not seen: the stacker's training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class OutOfFold:
    """A member's log odds by entity; ``available`` tells where its source was there."""

    entity_id: list[str]
    score: npt.NDArray[np.float64]
    available: npt.NDArray[np.bool_]
    label: npt.NDArray[np.float64]
