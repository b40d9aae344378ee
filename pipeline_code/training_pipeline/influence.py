"""The blast radius of each feature: which predictions move, and how far, when it is shuffled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.ensemble import Ensemble
from pipeline_code.training_pipeline.contract import Influence
from pipeline_code.training_pipeline.metrics import auc

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

MOVED = 0.01


def influences(
    ensemble: Ensemble, matrix: Matrix, label: Floats, *, rows: int, seed: int
) -> dict[str, Influence]:
    """Shuffle each feature over a sample of rows; members that do not read it are not asked."""
    random = np.random.default_rng(seed)
    sample = np.sort(random.permutation(len(matrix))[:rows])
    matrix, label = matrix[sample], label[sample]
    if not len(matrix):
        return {}
    scores, available = ensemble.member_scores(matrix)
    before = ensemble.joined(scores, available)
    quality = auc(label, before)
    found: dict[str, Influence] = {}
    for index, name in enumerate(ensemble.features):
        readers = [
            place for place, member in enumerate(ensemble.members) if index in member.columns
        ]
        shuffled = matrix.copy()
        shuffled[:, index] = random.permutation(matrix[:, index])
        moved_scores, moved_available = list(scores), list(available)
        for place in readers:
            moved_scores[place] = ensemble.members[place].raw_scores(shuffled)
            moved_available[place] = ensemble.members[place].available(shuffled)
        after = ensemble.joined(moved_scores, moved_available)
        change = np.abs(after - before)
        found[name] = {
            "members": [ensemble.members[place].name for place in readers],
            "mean_change": float(change.mean()),
            "p95_change": float(np.percentile(change, 95)),
            "max_change": float(change.max()),
            "moved_share": float(np.mean(change > MOVED)),
            "auc_loss": quality - auc(label, after),
        }
    return found
