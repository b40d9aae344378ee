"""The reproduction's processing job: compares the rebuilt model with the registered one."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline_code.job_folders import JobFolders, processed
from pipeline_code.training_pipeline.archives import artefact_digest, file_digests, unpack
from pipeline_code.training_pipeline.contract import (
    REPRODUCTION_INPUT_ORIGINAL,
    REPRODUCTION_INPUT_REBUILT,
    REPRODUCTION_NAME,
    REPRODUCTION_OUTPUT,
    Reproduction,
)
from pipeline_code.training_pipeline.job_log import say


def compare(original: Path, rebuilt: Path) -> Reproduction:
    """Compare two unpacked artefacts by their content, file by file."""
    first, second = file_digests(original), file_digests(rebuilt)
    return {
        "identical": first == second,
        "original_digest": artefact_digest(first),
        "rebuilt_digest": artefact_digest(second),
        "differences": _differences(first, second),
    }


def _differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    found = []
    for name in sorted(first.keys() | second.keys()):
        if name not in second:
            found.append(f"{name} is missing in the rebuilt model")
        elif name not in first:
            found.append(f"{name} is only in the rebuilt model")
        elif first[name] != second[name]:
            found.append(f"{name} differs: {first[name][:16]} was {second[name][:16]} now")
    return found


def run(folders: JobFolders) -> None:
    """Compare what the job's inputs hold; a difference is an answer, not a failure."""
    with tempfile.TemporaryDirectory() as scratch:
        found = compare(
            *(
                unpack(folders.processing_input(name), Path(scratch) / name)
                for name in (REPRODUCTION_INPUT_ORIGINAL, REPRODUCTION_INPUT_REBUILT)
            )
        )
    output = folders.processing_output(REPRODUCTION_OUTPUT)
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    (output / REPRODUCTION_NAME).write_text(text, encoding="utf-8")
    say(f"identical={str(found['identical']).lower()}")
    for line in found["differences"]:
        say(line)


def main() -> int:
    """Compare, or say why not."""
    return processed(run)


if __name__ == "__main__":
    sys.exit(main())
