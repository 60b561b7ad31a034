"""How much disk this environment takes, such as the .venv of a course folder, and how much of it is for CUDA alone.

python benchmarks/disk.py

What is left without the packages of NVIDIA and Triton is more than a build of torch for the CPU takes: torch's own CUDA
code is still in it.
"""

import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

GB = 10**9
FOR_CUDA = ("nvidia-", "cuda-", "triton")


def size(paths: Iterable[Path]) -> int:
    """Bytes; a link counts as nothing, since what it leads to stands elsewhere."""
    return sum(path.lstat().st_size for path in paths if path.is_file() and not path.is_symlink())


def size_with_bytecode(distribution: metadata.Distribution) -> int:
    """The bytes of the files of a package, and of what Python has compiled beside them."""
    files = {Path(str(file.locate())) for file in distribution.files or []}
    compiled = {one for folder in {path.parent for path in files} for one in folder.glob("__pycache__/*.pyc")}
    return size(files | compiled)


def main() -> None:
    total = size(Path(sys.prefix).rglob("*"))
    names = {one.name.lower(): one for one in metadata.distributions()}
    cuda = sum(size_with_bytecode(one) for name, one in names.items() if name.startswith(FOR_CUDA))
    print(f"{len(names)} packages on {sys.platform}: {total / GB:.1f} GB, {(total - cuda) / GB:.1f} GB without CUDA's")


main()
