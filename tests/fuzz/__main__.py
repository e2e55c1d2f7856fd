"""Atheris (libFuzzer) over one target: `python -m tests.fuzz --target event --seconds 120`. A find is kept as a case of the target."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["schemas", "ingest", "streams", "sinks", "view", "citybrain.http_face", "citybrain.readonly", "yaml"]
):
    from tests.fuzz.targets import MOST_BYTES, SEEDS, TARGETS

SLOW_SECONDS = 20
"""An input that takes longer is a find."""


def main() -> None:
    """Fuzz one target from its seeds; exit code 77 and a file in cases/ for a find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=list(TARGETS), required=True)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    folder = Path(__file__).parent / "cases" / asked.target
    folder.mkdir(parents=True, exist_ok=True)

    def run(data: bytes) -> None:
        TARGETS[asked.target](data[:MOST_BYTES])

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[asked.target]):
            (Path(corpus) / str(number)).write_bytes(seed)
        options = [
            f"-max_total_time={asked.seconds}",
            f"-timeout={SLOW_SECONDS}",
            "-rss_limit_mb=4096",
            f"-artifact_prefix={folder}/",
        ]
        atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", "-verbosity=0", corpus], run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
