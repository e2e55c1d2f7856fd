"""The worker of a measurement: `citybrain work` with a consumer group of its own, and the moment of its first record.

python -m bench.worker --broker 127.0.0.1:9092 --places city.geojson --group run-1 --first first.txt
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from citybrain.places_file import read_places
from schemas.kafka_options import Broker
from streams.worker import WorkerOptions, run


def main() -> None:
    """Work until SIGTERM; `--first` gets the time (seconds since 1970) when the first records were in hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True, help="host:port")
    parser.add_argument("--places", type=Path, required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--instance", default="worker-1")
    parser.add_argument("--first", type=Path, required=True)
    asked = parser.parse_args()

    def begun() -> None:
        if not asked.first.exists():
            asked.first.write_text(f"{time.time():.6f}", encoding="utf-8")

    run(
        WorkerOptions(
            broker=Broker(bootstrap=asked.broker),
            places=read_places(asked.places),
            instance=asked.instance,
            group=asked.group,
            begun=begun,
        )
    )


if __name__ == "__main__":
    main()
