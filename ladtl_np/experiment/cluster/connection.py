"""The connection to a Dask cluster that the user names: made early, or refused with a reason.

This is the one place of the package that reaches a network, and the packages of the extra
``cluster`` are imported only here and in `worker`, when somebody names a scheduler.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.experiment.cluster.scheduler import Cluster

__all__ = ["connect"]

CONNECT_SECONDS = 10.0  # that a scheduler has to answer at all
CLIENT_SECONDS = 30.0  # that one which has answered has to take up a client, however busy it is
_EXAMPLE = "tcp://127.0.0.1:8786"
_NOISY = ("distributed", "tornado", "asyncio")


@contextmanager
def connect(address: str, patience: float) -> Iterator[Cluster]:
    """Connect to a Dask scheduler.

    Parameters
    ----------
    address
        As the scheduler prints it: ``tcp://host:port``, or ``tls://host:port`` with certificates
        named in Dask's own configuration.
    patience
        Seconds to wait while the scheduler is away, or while there is no worker.

    Raises
    ------
    UsageError
        If `distributed` is missing, the address is none, or a machine cannot do the work.
    LadtlError
        If no scheduler answers.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--dask needs dask and distributed ({error}): pip install 'ladtl-np[cluster]'"
        ) from None
    with _quiet():
        cluster = Cluster(_client(address), address, lambda: _client(address), patience)
        try:
            cluster.require_environment()
            yield cluster
        finally:
            cluster.close()


def _client(address: str) -> Any:
    """Make a client; who is there is asked first, as one that cannot connect is slow to go."""
    import distributed

    _require_scheduler(address)
    try:
        return distributed.Client(
            address, timeout=CLIENT_SECONDS, name="ladtl", set_as_default=False
        )
    except OSError:
        raise _no_answer(address) from None


def _no_answer(address: str) -> LadtlError:
    return LadtlError(
        f"no Dask scheduler answers at {address} within {CONNECT_SECONDS:.0f} s; is it running "
        "(`dask scheduler`), is this the address that it prints, and can this machine reach it?"
    )


def _require_scheduler(address: str) -> None:
    """Refuse an address at which no scheduler is."""
    try:
        kind = asyncio.run(_kind(address))
    except (OSError, TimeoutError):
        raise _no_answer(address) from None
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"--dask {address!r}: {error}; the address of a scheduler looks like {_EXAMPLE}"
        ) from None
    if kind != "Scheduler":
        raise UsageError(
            f"at {address} is a Dask {kind.lower()}; --dask wants the address of the scheduler"
        )


async def _kind(address: str) -> str:
    """Which part of Dask is at an address."""
    from distributed.core import rpc
    from distributed.security import Security

    options = Security().get_connection_args("client")
    async with rpc(address, timeout=CONNECT_SECONDS, connection_args=options) as server:
        told = await asyncio.wait_for(server.identity(), CONNECT_SECONDS)
    return str(told.get("type"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Dask logs and warns of: what matters is told in our own words."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _NOISY]
    before = {name: logging.getLogger(name).level for name in names}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"distributed\b|dask\b|tornado\b")
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
