"""After the report of the demo: the page over its data, with a token in the address, and the simulated city going on."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime

from citybrain.catalogue_folder import catalogue_of
from citybrain.deployment import Deployment
from citybrain.ports import free_port
from citybrain.settings import Settings
from citybrain.view_tokens import add_token
from schemas.errors import StoreUnavailable
from view.who import Scope

TOKENS = "demo-tokens.json"
START_SECONDS = 60.0


def open_page(settings: Settings, deployment: Deployment, live: Sequence[str]) -> str:
    """Start the view and, with arguments of `citybrain city`, the living city; the address of the desk when it answers.

    The token stands behind #, which no server is sent. StoreUnavailable: the view did not answer.
    """
    path = deployment.data_dir / TOKENS
    path.unlink(missing_ok=True)
    secret = add_token(path, f"demo-{datetime.now(UTC):%H%M%S}", Scope(), catalogue_of(settings.city.catalogue), duty=True)
    port = settings.view.port or free_port()
    extra = {"CITYBRAIN_VIEW__PORT": str(port), "CITYBRAIN_VIEW__HOST": "127.0.0.1", "CITYBRAIN_VIEW__TOKENS": str(path)}
    deployment.part("view", ["view"], extra)
    if live:
        deployment.part("live-city", ["city", "--live", *live])
    address = f"http://127.0.0.1:{port}"
    _wait_for(f"{address}/readyz", deployment)
    return f"{address}/desk#token={secret}"


def _wait_for(url: str, deployment: Deployment) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        deployment.supervisor.look()
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own view on loopback
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise StoreUnavailable(
        "view", 0, f"the view did not answer in {START_SECONDS:.0f} s; see view.log in {deployment.data_dir}/logs"
    )
