"""What the commands that work on a Dask cluster share."""

from __future__ import annotations

import click

from ladtl_np.experiment.cluster.scheduler import PATIENCE, Cluster, told_minutes

__all__ = ["dask_wait_option", "tell_of_waiting"]

dask_wait_option = click.option(
    "--dask-wait",
    type=click.FloatRange(min=0),
    default=PATIENCE / 60,
    show_default=True,
    metavar="MINUTES",
    help="How long to wait for a scheduler that has gone, and while there is no worker.",
)


def tell_of_waiting(cluster: Cluster) -> None:
    """Say on standard error that there is no worker yet, if that is so."""
    if not cluster.threads():
        click.echo(
            f"The Dask scheduler at {cluster.address} has no workers yet; waiting for the first, "
            f"{told_minutes(cluster.patience)} at most.",
            err=True,
        )
