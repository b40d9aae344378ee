"""A training container: its model is the sum of the numbers in its channel."""

import os
import sys
from pathlib import Path

base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
files = sorted((base / "input/data/train").rglob("*.csv"))
total = sum(int(line) for file in files for line in file.read_text().split())
(base / "model" / os.environ["MODEL_FILE"]).write_text(str(total))
sys.stdout.write(f"trained on {len(files)} files: total={total}\n")
