"""A task of the Kafka client that failed ends the process; one that was ended does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streams.leaving import LEFT_ON_ERROR

PROGRAM = """
import asyncio
from streams.leaving import leave_when_failed
async def fails(): raise RuntimeError("no brokers")
async def waits(): await asyncio.sleep(60)
async def ends(): pass
async def main(name):
    task = asyncio.create_task(globals()[name](), name="coordinator")
    task.add_done_callback(leave_when_failed)
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.sleep(0.1)
import sys
asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize(("task", "code"), [("fails", LEFT_ON_ERROR), ("waits", 0), ("ends", 0)])
def test_only_a_failed_task_ends_the_process(task: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, task], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == code, done.stderr
    assert ("coordinator of the Kafka client has failed" in done.stderr) == (task == "fails")
