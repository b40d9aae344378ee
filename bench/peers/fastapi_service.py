"""FastAPI at its fastest: no models of pydantic, bytes in and bytes out."""

from __future__ import annotations

import msgspec
from fastapi import FastAPI, Request, Response

from bench.peers.scoring import answer

app = FastAPI()


@app.post("/invocations")
async def invoke(request: Request) -> Response:
    """Answer."""
    body = msgspec.json.decode(await request.body())
    return Response(msgspec.json.encode(answer(body)), media_type="application/json")
