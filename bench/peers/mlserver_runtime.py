"""A runtime for MLServer: the request's JSON in a tensor of bytes, as its protocol has it."""

from __future__ import annotations

import json

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from bench.peers.scoring import answer


class Runtime(MLModel):  # type: ignore[misc] # no type information
    """The model."""

    async def load(self) -> bool:
        """Nothing is left to load."""
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer."""
        (text,) = StringCodec.decode_input(payload.inputs[0])
        found = json.dumps(answer(json.loads(text)))
        output = StringCodec.encode_output("answer", [found])
        return InferenceResponse(model_name=self.name, outputs=[output])
