"""Options of one task searched for on its development data, within a budget.

Random search with successive halving, over the resumable runs that an experiment is made of.
`space` says where options are drawn from, `halving` which points go on, `trials` what runs there
are and what they reached, `record` what a folder's search is made of, `effects` how far each option
mattered.

A library such as Optuna was weighed and left out. It brings a database layer with it (SQLAlchemy,
Alembic, Mako and more), and keeps points, but not its sampler's state: a study that was stopped and
taken up is not the one that ran through, and with two processes no search can be repeated.
Here point n is draw n of the seed, and a run that waits is its folder with a checkpoint. So the
state of a search is what lies on the disk, equal calls give equal points for any number of
processes, and stopping costs nothing. For some ten to fifty points a model of the scores, which
random search lacks, has little to learn from.
"""
