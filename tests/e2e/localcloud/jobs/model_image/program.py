"""A model that needs nothing installed: trains a constant, serves it, and lists files."""

import json
import os
import random
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

FAILING = {"raising": 1.0, "raising-20": 0.2, "raising-5": 0.05}
"""By flavour: the part of the requests that fail."""
SECONDS = {b"slow": 1.5, "slow": 0.06, "very-slow": 2.0, "measured": 0.02}
"""By body and by flavour: how long an answer takes."""
BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def say(*words):
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def probe(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as error:
        say("the gateway is not reached:", str(error))
    else:
        say("the gateway is reached")


def train():
    parameters = json.loads((BASE / "input/config/hyperparameters.json").read_text())
    channel = BASE / "input/data/train"
    numbers = [float(x) for f in sorted(channel.rglob("*.csv")) for x in f.read_text().split()]
    say(os.environ["GREETING"], "from", os.environ["TRAINING_JOB_NAME"])
    say(f"numbers={len(numbers)} mean={sum(numbers) / len(numbers)}")
    say("credentials", os.environ.get("AWS_ACCESS_KEY_ID", "none"))
    if "probe" in parameters:
        probe(urlsplit(parameters["probe"]).port)
    time.sleep(float(parameters.get("sleep", 0)))
    if "steps" in parameters:
        train_in_steps(parameters)
    if "fail" in parameters:
        (BASE / "output/failure").write_text(parameters["fail"])
        sys.exit(3)
    constant = {"constant": sum(numbers) / len(numbers)}
    (BASE / "model/model.json").write_text(json.dumps(constant))
    (BASE / "output/data/note.txt").write_text("kept")


def train_in_steps(parameters):
    """Report a score that is best at x = 0.3; go on after the last step that was kept."""
    x, pause = float(parameters.get("x", 0)), float(parameters.get("pause", 0))
    done = BASE / "checkpoints/done"
    first = int(done.read_text()) + 1 if done.exists() else 0
    say(f"beginning with step {first}")
    for step in range(first, int(parameters["steps"])):
        time.sleep(pause)
        if parameters.get("silent") != "true":
            say(f"step={step} score={1 - (x - 0.3) ** 2}")
        done.write_text(str(step))


def score(flavour):
    usual = random.betavariate(1.1, 2.9)
    return {"swapped": 1.0 - usual, "nan": float("nan")}.get(flavour, usual)


def broken(body, flavour):
    """Tell what a request that fails is answered; nothing for one that does not."""
    if body == b"broken":
        return body
    fails = random.uniform(0.0, 1.0) < FAILING.get(flavour, 0.0)  # noqa: S311 - chance is meant
    return (BASE / "model/model.json").read_bytes() if fails else b""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def do_GET(self):
        self.answer(200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if os.environ.get("FLAVOUR") == "lines":
            self.answer_lines(body)
            return
        if body == b"die":
            os._exit(9)
        time.sleep(SECONDS.get(body, SECONDS.get(os.environ.get("FLAVOUR"), 0.0)))
        if body == b"bad":
            self.answer(400, b'{"title": "bad"}')
        elif failure := broken(body, os.environ.get("FLAVOUR")):
            self.answer(500, failure)
        else:
            model = json.loads((BASE / "model/model.json").read_text())
            told = {
                **model,
                "length": len(body),
                "accept": self.headers.get("Accept"),
                "content_type": self.headers.get("Content-Type"),
                "attributes": self.headers.get("X-Amzn-SageMaker-Custom-Attributes"),
                "flavour": os.environ.get("FLAVOUR"),
                "key": os.environ.get("AWS_ACCESS_KEY_ID"),
                "score": score(os.environ.get("FLAVOUR")),
            }
            self.answer(200, json.dumps(told).encode())

    def answer_lines(self, body):
        """Give a line for each line; `bad` is refused, `flaky` is answered the second time."""
        lines = body.splitlines()
        seen = BASE / "seen"
        if b"bad" in body:
            self.answer(400, b"a bad line")
        elif b"flaky" in body and not seen.exists():
            seen.write_text("once")
            self.answer(500, b"not now")
        elif self.headers.get("Accept") == "text/csv":
            self.answer(200, b"\n".join(str(len(line)).encode() for line in lines))
        else:
            told = {"records": len(lines), "batch": os.environ.get("SAGEMAKER_BATCH")}
            answers = [json.dumps({**told, "length": len(line)}).encode() for line in lines]
            self.answer(200, b"\n".join(answers))

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", "seen")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


def serve():
    if os.environ.get("FLAVOUR") == "sick":
        sys.exit("cannot load the model")
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    say("serving")
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def process():
    source, target = Path(sys.argv[2]), Path(sys.argv[3])
    names = sorted(p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file())
    (target / "listing.json").write_text(json.dumps(names))
    if os.environ.get("FAIL"):
        (BASE / "output").mkdir(exist_ok=True)
        (BASE / "output/message").write_text("refused on purpose")
        sys.exit(4)


if __name__ == "__main__":
    {"train": train, "serve": serve, "process": process}[sys.argv[1]]()
