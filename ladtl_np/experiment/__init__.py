"""Grids of runs from one file: tasks, methods, seeds, fractions and options, resumable.

`loading` finds a file and `file` checks it, `expansion` lists its runs, `inputs` reads what they
need, `runner` does those that are missing by way of an `Execute` (`processes` and `cluster.runs`
are two), `results` tells what came out; `choice` says which point of a grid stands for a method;
`packaged` holds those that come with the package.
"""

from ladtl_np.experiment.expansion import RunSpec, expand
from ladtl_np.experiment.file import Experiment, parse_experiment
from ladtl_np.experiment.job import Event, Execute, Job, perform
from ladtl_np.experiment.loading import load_experiment, packaged_experiments
from ladtl_np.experiment.results import grid_keys, means, read_results, write_results
from ladtl_np.experiment.runner import Plan, plan_experiment, run_missing, share_cores, states

__all__ = [
    "Event",
    "Execute",
    "Experiment",
    "Job",
    "Plan",
    "RunSpec",
    "expand",
    "grid_keys",
    "load_experiment",
    "means",
    "packaged_experiments",
    "parse_experiment",
    "perform",
    "plan_experiment",
    "read_results",
    "run_missing",
    "share_cores",
    "states",
    "write_results",
]
