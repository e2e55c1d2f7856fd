"""Programs of Debian packages that tests run."""

from __future__ import annotations

import shutil

PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}


def program(name: str) -> str:
    """Path of a program. RuntimeError says how to bring it: a test never skips for want of one."""
    found = shutil.which(name)
    if not found:
        message = f"{name} is not here: run `make tools`, or as root `apt-get install --no-install-recommends {PACKAGES[name]}`"
        raise RuntimeError(message)
    return found
