"""The store for a backup or a restore, whoever owns it, and how to hold its loaders.

A server, or a folder whose owner runs: the loaders are held through Kafka, and a record half stored is completed first. A
folder that nobody owns: we own it meanwhile, so nobody writes, and a deployment that is stopped has no Kafka to ask. Then a
record half stored is a reason to refuse: the tokens that would make its repeat harmless do not come along in a backup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from citybrain.backup.save import Held
from citybrain.owner_socket import listens
from citybrain.reading import came
from citybrain.running import LOADER_LOCK, hold, running_in
from citybrain.settings import Settings
from citybrain.store_socket import MAINTENANCE, remote_store
from schemas.errors import StoreUnavailable
from sinks.maintenance import NotHeld, held
from sinks.relabel import check_finished
from sinks.store import Store

HALF_STORED: Final = """
SELECT count() FROM (
    SELECT risk_topic_id, risk_partition, risk_offset FROM events
    UNION DISTINCT SELECT risk_topic_id, risk_partition, risk_offset FROM rejected
) AS rows LEFT ANTI JOIN blocks USING (risk_topic_id, risk_partition, risk_offset)
"""


@contextmanager
def opened(settings: Settings, *, saving: bool) -> Iterator[tuple[Store, Held]]:
    """`settings` are located. `saving`: what is in the store counts, so nothing in it may be half done."""
    url, folder = settings.clickhouse.url, settings.data_dir
    if url.startswith(("http://", "https://")):
        with closing(Store.connect(url)) as store:
            yield store, _through_kafka(settings, store, saving=saving)
        return
    socket = folder / MAINTENANCE
    if running_in(folder) and not came(socket):
        cause = f"a deployment runs in {folder}, but its loader does not answer; see {folder / 'logs' / 'load.log'}, or end the deployment"
        raise StoreUnavailable("store", 0, cause)
    if listens(socket):
        store = remote_store(socket)
        yield store, _through_kafka(settings, store, saving=saving)
        return
    place = Path(url.removeprefix("chdb://"))
    if saving and not place.exists():
        cause = f"no store at {place}; give --data-dir of a running or finished `up` or `demo`"
        raise StoreUnavailable("store", 0, cause)
    with hold(folder, LOADER_LOCK), closing(Store.connect(url)) as store:
        yield store, _alone(store, saving=saving)


def _through_kafka(settings: Settings, store: Store, *, saving: bool) -> Held:
    @contextmanager
    def holding() -> Iterator[Callable[[], None]]:
        with held(settings.broker, store, "backup" if saving else "restore", completing=saving) as mine:
            yield mine.check

    return holding


def _alone(store: Store, *, saving: bool) -> Held:
    @contextmanager
    def holding() -> Iterator[Callable[[], None]]:
        if saving:
            check_finished(store)
            ((half,),) = store.query(HALF_STORED)
            if half:
                message = (
                    f"{half} records are half stored, as a killed loader leaves them; nothing was written. Run `citybrain up` (or `load`): "
                    "it completes them. Back up then, or while it runs"
                )
                raise NotHeld(message)
        yield lambda: None

    return holding
