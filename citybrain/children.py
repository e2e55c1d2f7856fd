"""Child processes that never outlive us, and stopping them: politely, then by force."""

from __future__ import annotations

import ctypes
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def tied_to_parent() -> None:
    """Run in the child before its program: the kernel ends it when the parent is gone (Linux).

    To the kernel the parent is the thread that started the child: start children from a thread that stays.
    """
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop_child(process: subprocess.Popen[bytes], seconds: float) -> int:
    """SIGTERM, SIGKILL after `seconds`; the exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return int(process.returncode)
