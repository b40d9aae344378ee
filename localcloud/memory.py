"""How much memory a process and everything below it hold."""

from pathlib import Path

_PAGE = 4096


def resident_bytes(root: int) -> dict[int, int]:
    """Return the resident memory of a process and its descendants, by process id."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            sizes[int(folder.name)] = int((folder / "statm").read_text().split()[1]) * _PAGE
        except OSError:  # it ended while we looked
            continue
        parents[int(folder.name)] = int(fields[1])
    return {pid: size for pid, size in sizes.items() if _is_below(pid, root, parents)}


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid not in {root, 0, 1}:
        pid = parents.get(pid, 0)
    return pid == root
