"""Mode B: a logistic regression in the scikit-learn framework container; leaves weights as JSON.

Runs with scikit-learn 1.2 and later. Reads CSV without a header, the label first.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

Floats = npt.NDArray[np.float64]


def rows_of(folder: str) -> tuple[Floats, Floats]:
    """Read all CSV files of a channel: columns and label."""
    parts = [
        np.loadtxt(path, delimiter=",", dtype=np.float64, ndmin=2)
        for path in sorted(Path(folder).glob("*.csv"))
    ]
    rows = np.concatenate(parts)
    return rows[:, 1:], rows[:, 0]


def main() -> None:
    """Fit, report, leave ``linear.json``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--l2", type=float, default=100.0)
    parser.add_argument("--max_iter", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments, unknown = parser.parse_known_args()
    if unknown:
        parser.error(f"unknown hyper-parameters: {unknown}")
    columns, label = rows_of(os.environ["SM_CHANNEL_TRAIN"])
    model = LogisticRegression(
        C=1.0 / arguments.l2, max_iter=arguments.max_iter, random_state=arguments.seed
    )
    model.fit(columns, label)
    held_out, truth = rows_of(os.environ["SM_CHANNEL_VALIDATION"])
    auc = roc_auc_score(truth, model.decision_function(held_out))
    sys.stdout.write(f"validation_auc={auc:.6f}\n")
    document = {"weights": model.coef_[0].tolist(), "bias": float(model.intercept_[0])}
    path = Path(os.environ["SM_MODEL_DIR"]) / "linear.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
