"""`citybrain view` as a user runs it: a process, a token, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from click.testing import CliRunner

from citybrain.cli import cli
from citybrain.places_file import PLACES, write_places
from schemas.errors import BadSettings
from tests.view.live_client import messages
from tests.view.world import COMMUNITY, places

START_SECONDS = 120.0


@pytest.fixture(scope="module")
def data_dir(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a store and no loader."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(built, folder / "clickhouse", symlinks=True)
    write_places(folder / PLACES, places())
    return folder


@contextmanager
def view(data_dir: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running view and its address."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: no broker answers here
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CITYBRAIN_")}
        environment |= {"CITYBRAIN_BROKER__BOOTSTRAP": f"127.0.0.1:{nobody.getsockname()[1]}", **settings}
        command = [sys.executable, "-m", "citybrain", "view", "--data-dir", str(data_dir), "--json"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stdout
            url = json.loads(process.stdout.readline())["url"].removesuffix("/api/v1/state")
            _wait(process, f"{url}/readyz")
            yield process, url
        finally:
            process.kill()
            process.communicate()


def _wait(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        try:
            if httpx.get(url, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"{url} was not ready in {START_SECONDS:.0f} s")


def run_here(*arguments: str, settings: Mapping[str, str] | None = None) -> str:
    """What a command prints, run in this process."""
    with patch("citybrain.logs.set_up_logs"), patch.dict(os.environ, settings or {}):
        result = CliRunner().invoke(cli, list(arguments))
    if result.exception:
        raise result.exception
    return result.stdout


def new_token(data_dir: Path, name: str, *options: str) -> str:
    secret: str = json.loads(run_here("view", "token", "new", name, "--data-dir", str(data_dir), "--json", *options))["secret"]
    return secret


def test_it_serves_a_store_to_whom_its_tokens_name_and_stops_at_ctrl_c(data_dir: Path) -> None:
    """With a stream open, and without a broker: reading works, acting says that it is not confirmed."""
    duty = {"Authorization": f"Bearer {new_token(data_dir, 'desk-1', '--scope', 'city', '--duty')}"}
    own = {"Authorization": f"Bearer {new_token(data_dir, 'own-1', '--scope', f'community:{COMMUNITY}')}"}
    with view(data_dir) as (process, url), httpx.Client(base_url=url, timeout=60) as api:
        assert api.get("/api/v1/state", headers=duty).json()["window"]["name"] == "24h"
        assert api.get("/api/v1/state").json()["window"]["name"] == "day"
        assert {area[:12] for area in api.get("/api/v1/state", headers=own).json()["areas"]} == {COMMUNITY}
        assert api.get("/api/v1/state", headers={"Authorization": "Bearer cb_wrong"}).status_code == 401
        alert = api.get("/api/v1/alerts", headers=duty).json()["items"][0]["id"]
        acted = api.post(
            f"/api/v1/alerts/{alert}/actions", json={"kind": "ack"},
            headers=duty | {"If-Match": '"1"', "Idempotency-Key": "no-broker-1"},
        )  # fmt: skip
        assert (acted.status_code, acted.headers["content-type"]) == (503, "application/problem+json")
        with messages(api, duty) as stream:
            stream.next("hello")
            stopped = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, logged = process.communicate(timeout=30)
            assert time.monotonic() - stopped < 10
    assert process.returncode in {0, 130, -signal.SIGINT}, logged
    asked = [line for line in logged.splitlines() if '"path":"/api/v1/state"' in line.replace("\\", "")]
    assert any("desk-1" in line for line in asked)
    assert "Traceback" not in logged
    assert not any(secret.removeprefix("Bearer ") in logged for secret in (duty["Authorization"], own["Authorization"]))


def test_a_token_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    secret = new_token(tmp_path, "fire-1", "--scope", "department:fire", "--duty")
    file = tmp_path / "tokens.json"
    entry = json.loads(file.read_text())["tokens"][0]

    assert secret not in file.read_text()
    assert (entry["name"], entry["scope"], entry["duty"]) == ("fire-1", "department:fire", True)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadSettings, match="'fire-1' is taken"):
        new_token(tmp_path, "fire-1", "--scope", "city")
    with pytest.raises(BadSettings, match="wanted city, community:<12 digits>"):
        new_token(tmp_path, "other", "--scope", "town:150627001")
    with pytest.raises(BadSettings, match="--duty"):
        new_token(tmp_path, "other", "--scope", "department:fire")


def test_nobody_beyond_this_machine_is_served_without_a_token(tmp_path: Path) -> None:
    for command in ("view", "up"):
        settings = {"CITYBRAIN_VIEW__HOST": "0.0.0.0", "CITYBRAIN_DATA_DIR": str(tmp_path)}  # noqa: S104 - it is refused
        with pytest.raises(BadSettings, match="beyond loopback everybody has to say who asks"):
            run_here(command, "--data-dir", str(tmp_path), settings=settings)
    (tmp_path / "tokens.json").write_text('{"tokens": [{"name": "x", "sha256": "secret-like"}]}')
    with pytest.raises(BadSettings, match="token file") as refused:
        run_here("view", "--data-dir", str(tmp_path))
    assert "secret-like" not in str(refused.value)
