"""One LightGBM whose trees each stay within one member, carved into the members' own models.

Every member's inputs are columns of their own, also those that two members share, so that the root
of a tree says whose it is. The members' models together are the joint one, tree by tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline_code.training_pipeline.dataset import Matrix, Rows
from pipeline_code.training_pipeline.ensemble_config import Member

HEAD_END = "\n\n"
TREES_END = "end of trees"
SIZES, SPLITS = "tree_sizes=", "split_feature="


class NoTreesError(RuntimeError):
    """A member got no tree of the joint model: it tells nothing that the others do not."""


@dataclass(frozen=True)
class Block:
    """The columns of one member in the joint matrix."""

    first: int
    count: int

    @property
    def columns(self) -> list[int]:
        """The places of its columns."""
        return list(range(self.first, self.first + self.count))


def blocks_of(members: Sequence[Member]) -> dict[str, Block]:
    """Lay the members' inputs side by side."""
    found, first = {}, 0
    for member in members:
        found[member.name] = Block(first, len(member.inputs))
        first += len(member.inputs)
    return found


def joint_matrix(members: Sequence[Member], rows: Rows) -> Matrix:
    """Give the columns of all members side by side."""
    return np.hstack([rows.matrix(member.inputs) for member in members])


def carve(text: str, name: str, block: Block) -> str:
    """Take a member's trees out of the joint model's text, as a model of its own columns."""
    head, _, rest = text.partition(HEAD_END)
    body, _, tail = rest.partition(TREES_END)
    own = [
        _moved(tree, block, number)
        for number, tree in enumerate(
            tree for tree in _trees(head, body) if _owner(tree) in block.columns
        )
    ]
    if not own:
        raise NoTreesError(f"member {name}: none of the additive model's trees is its own")
    own_head = "\n".join(_head_line(line, block, own) for line in head.splitlines())
    parameters = tail.partition("parameters:")[2]
    return f"{own_head}{HEAD_END}{''.join(own)}{TREES_END}\n\nparameters:{parameters}"


def _trees(head: str, body: str) -> Iterator[str]:
    (line,) = (line for line in head.splitlines() if line.startswith(SIZES))
    place = 0
    for size in map(int, line.removeprefix(SIZES).split()):
        yield body[place : place + size]
        place += size


def _owner(tree: str) -> int:
    """Give the column of the root; a tree without a split, a constant, goes with the first."""
    splits = _fields(tree).get("split_feature", "")
    return int(splits.split()[0]) if splits else 0


def _fields(tree: str) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)


def _moved(tree: str, block: Block, number: int) -> str:
    """Give a tree its new number, and its columns theirs, from the member's first."""
    lines = tree.split("\n")
    lines[0] = f"Tree={number}"
    for place, line in enumerate(lines):
        if line.startswith(SPLITS):
            columns = [int(column) for column in line.removeprefix(SPLITS).split()]
            if not set(columns) <= set(block.columns):
                raise ValueError(f"a tree of the additive model splits on {columns}: two members'")
            lines[place] = SPLITS + " ".join(str(column - block.first) for column in columns)
    return "\n".join(lines)


def _head_line(line: str, block: Block, trees: Sequence[str]) -> str:
    name, _, value = line.partition("=")
    replaced = {
        "max_feature_idx": lambda: str(block.count - 1),
        "feature_names": lambda: " ".join(f"f{place}" for place in range(block.count)),
        "feature_infos": lambda: " ".join(value.split()[c] for c in block.columns),
        "tree_sizes": lambda: " ".join(str(len(tree)) for tree in trees),
    }
    return f"{name}={replaced[name]()}" if name in replaced else line
