"""Environments of the peers: each made once from its hash-pinned lock, beside the project's own and apart from it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = Path(__file__).parent / "locks"
ENVIRONMENTS: Final = ROOT / ".peers"


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment; made anew when its lock has changed."""
    lock, folder = LOCKS / f"{name}.lock", ENVIRONMENTS / name
    python, mark = folder / "bin" / "python", folder / ".ready"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text(encoding="utf-8") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        _install(folder, lock)
        mark.write_text(digest, encoding="utf-8")
    return python


def _install(folder: Path, lock: Path) -> None:
    python = folder / "bin" / "python"
    if uv := shutil.which("uv"):
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "--requirements", str(lock)]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            str(lock),
        ]
    subprocess.run(command, check=True)
