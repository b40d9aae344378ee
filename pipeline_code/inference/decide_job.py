"""The processing job that decides a request of any size: ``python -m … <use case>``.

Reads the one file of the input ``request``, writes the answer to the output ``decision``.
"""

from __future__ import annotations

import json
import sys
from functools import partial

from pipeline_code.inference.contract import DECISION_INPUT, DECISION_NAME, DECISION_OUTPUT
from pipeline_code.inference.decision_policy import load_decision_code, load_policy
from pipeline_code.inference.decisions import Decider, decide
from pipeline_code.job_folders import JobFolders, processed


class RequestMissingError(RuntimeError):
    """The job's input does not hold exactly one request."""


def run(folders: JobFolders, use_case: str) -> None:
    """Decide the request."""
    folder = folders.processing_input(DECISION_INPUT)
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(found) != 1:
        names = [path.name for path in found]
        raise RequestMissingError(f"{folder} must hold one request, but holds {names}")
    document = json.loads(found[0].read_text(encoding="utf-8"))
    decider = Decider(load_policy(use_case), load_decision_code(use_case))
    answer = decide(document, decider)
    output = folders.processing_output(DECISION_OUTPUT)
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(answer, sort_keys=True, allow_nan=False)
    (output / DECISION_NAME).write_text(text, encoding="utf-8")
    facts = {name: answer[name] for name in ("decision_id", "status", "saving", "cost", "net")}
    sys.stdout.write(json.dumps(facts) + "\n")


def main(arguments: list[str]) -> int:
    """Decide, or say why not."""
    return processed(partial(run, use_case=arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
