"""The file that Linear Learner leaves and serves: see the package for its layout."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from localcloud.sagemaker.algorithms.container import UserError
from localcloud.sagemaker.algorithms.linear_learner.schema import BINARY, MULTICLASS

FILE = "model_algo-1"
SYMBOL, PARAMETERS = "mx-mod-symbol.json", "mx-mod-0000.params"
ADDITIONAL, MANIFEST = "additional-params.json", "manifest.json"
LIST_MAGIC, ARRAY_MAGIC = 0x112, 0xF993FAC9
_CPU, _FLOAT32, _DENSE = 1, 0, 0
_OUTPUTS = {BINARY: "LogisticRegressionOutput", MULTICLASS: "SoftmaxOutput"}
_MOMENT = (1980, 1, 1, 0, 0, 0)  # equal models are equal files
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Description:
    """What the parameters alone do not say."""

    predictor_type: str
    feature_dim: int
    num_classes: int
    threshold: float
    loss: str


@dataclass(frozen=True)
class LinearModel:
    """A trained model: weights (outputs, features) and biases (outputs)."""

    weight: Float32
    bias: Float32
    description: Description

    def save(self, folder: Path) -> None:
        """Write the model's file into a folder."""
        members = {
            SYMBOL: json.dumps(_symbol(self.description), indent=2).encode(),
            PARAMETERS: _written({"arg:fc0_weight": self.weight, "arg:fc0_bias": self.bias}),
            ADDITIONAL: json.dumps(asdict(self.description)).encode(),
        }
        members[MANIFEST] = json.dumps({"files": sorted(members)}).encode()
        with zipfile.ZipFile(folder / FILE, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, _MOMENT), content)

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read a model's file."""
        file = folder / FILE
        if not file.is_file():
            raise UserError(f"The model's archive holds no {FILE}")
        with zipfile.ZipFile(file) as archive:
            arrays = _read(archive.read(PARAMETERS))
            description = Description(**json.loads(archive.read(ADDITIONAL)))
        return cls(arrays["arg:fc0_weight"], arrays["arg:fc0_bias"], description)


def _written(arrays: dict[str, Float32]) -> bytes:
    target = io.BytesIO()
    target.write(struct.pack("<QQQ", LIST_MAGIC, 0, len(arrays)))
    for array in arrays.values():
        target.write(struct.pack("<Iii", ARRAY_MAGIC, _DENSE, array.ndim))
        target.write(struct.pack(f"<{array.ndim}q", *array.shape))
        target.write(struct.pack("<iii", _CPU, 0, _FLOAT32))
        target.write(np.ascontiguousarray(array, "<f4").tobytes())
    target.write(struct.pack("<Q", len(arrays)))
    for name in arrays:
        target.write(struct.pack("<Q", len(name)) + name.encode())
    return target.getvalue()


def _read(content: bytes) -> dict[str, Float32]:
    source = io.BytesIO(content)

    def take(layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, source.read(struct.calcsize(layout)))

    magic, _, count = take("<QQQ")
    if magic != LIST_MAGIC:
        raise UserError(f"{PARAMETERS} is not an NDArray list of MXNet")
    arrays = []
    for _ in range(count):
        magic, storage, dimensions = take("<Iii")
        shape = take(f"<{dimensions}q")
        _, _, kind = take("<iii")
        if (magic, storage, kind) != (ARRAY_MAGIC, _DENSE, _FLOAT32):
            raise UserError(f"{PARAMETERS} holds an array that is not dense float32")
        values = np.frombuffer(source.read(4 * int(np.prod(shape))), "<f4")
        arrays.append(values.reshape(shape).astype(np.float32))
    (names,) = take("<Q")
    return {source.read(*take("<Q")).decode(): arrays[number] for number in range(names)}


def _symbol(description: Description) -> dict[str, Any]:
    hidden = str(description.num_classes if description.predictor_type == MULTICLASS else 1)
    output = _OUTPUTS.get(description.predictor_type, "LinearRegressionOutput")
    nodes: list[dict[str, Any]] = [
        {"op": "null", "name": name, "inputs": []} for name in ("data", "fc0_weight", "fc0_bias")
    ]
    nodes += [
        {
            "op": "FullyConnected",
            "name": "fc0",
            "attrs": {"num_hidden": hidden},
            "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        },
        {"op": "null", "name": "out_label", "inputs": []},
        {"op": output, "name": "out", "inputs": [[3, 0, 0], [4, 0, 0]]},
    ]
    return {
        "nodes": nodes,
        "arg_nodes": [0, 1, 2, 4],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [[len(nodes) - 1, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10900]},
    }
