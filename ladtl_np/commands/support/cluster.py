"""What the commands that work on a Dask cluster share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ladtl_np.commands.support.ranges import FiniteRange

if TYPE_CHECKING:
    from ladtl_np.experiment.cluster.scheduler import Cluster

__all__ = ["dask_wait_option", "tell_of_waiting"]

WAIT_MINUTES = 10.0

dask_wait_option = click.option(
    "--dask-wait",
    type=FiniteRange(min=0),
    default=WAIT_MINUTES,
    show_default=True,
    metavar="MINUTES",
    help="How long to wait for a scheduler that has gone, and while there is no worker.",
)


def tell_of_waiting(cluster: Cluster) -> None:
    """Say on standard error that there is no worker yet, if that is so."""
    from ladtl_np.experiment.cluster.scheduler import told_minutes

    if not cluster.threads():
        click.echo(
            f"The Dask scheduler at {cluster.address} has no workers yet; waiting for the first, "
            f"{told_minutes(cluster.patience)} at most.",
            err=True,
        )
