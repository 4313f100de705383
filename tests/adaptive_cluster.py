"""A program: a Dask cluster that adapts to its scheduler's demand, from no worker to two.

Prints the scheduler's address, and the number of workers each time that it has changed.
"""

from __future__ import annotations

import logging
import sys
import time


def main(folder: str) -> None:
    """Run until killed."""
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        local_directory=folder,
        silence_logs=logging.CRITICAL,
    )
    cluster.adapt(minimum=0, maximum=2, interval="200ms", wait_count=5)
    print("address", cluster.scheduler_address, flush=True)
    last = 0
    while True:
        now = len(cluster.scheduler.workers)
        if now != last:
            print("workers", now, flush=True)
        last = now
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1])
