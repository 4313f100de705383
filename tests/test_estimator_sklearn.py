"""The estimator under scikit-learn's own tools."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from test_estimator import CORPORA, OPTIONS, columns, pressed

from ladtl_np import LaDTLTagger
from ladtl_np.errors import UsageError
from ladtl_np.model.file import model_bytes

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from joblib.externals.loky import get_reusable_executor  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402
from sklearn.utils import get_tags  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402

press = pressed  # the fixture of the other file, under a name of its own
X, Y = columns(CORPORA.target)
SOURCE = columns(CORPORA.source)
SHORT = OPTIONS | {"training.steps": 10}
FOLDS = KFold(2)


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def upper(sentences: list[list[str]]) -> list[list[str]]:
    return [[token.upper() for token in sentence] for sentence in sentences]


# ---- parameters ----------------------------------------------------------------------------------


def test_a_clone_has_equal_parameters_and_no_model() -> None:
    tagger = LaDTLTagger("non-transfer", seed=3, options=SHORT, label_map={"a": "b"}).fit(X, Y)
    copied = clone(tagger)
    assert copied.get_params() == tagger.get_params()
    assert copied.options is not tagger.options
    assert vars(copied).keys() == vars(LaDTLTagger()).keys() == set(LaDTLTagger._names)
    assert not hasattr(copied, "model_")
    assert model_bytes(copied.set_params(label_map=None).fit(X, Y).model_)


def test_single_options_are_parameters() -> None:
    given = {"training.steps": 5, "model": {"hidden": 3}}
    tagger = LaDTLTagger(options=given)
    deep = tagger.get_params()
    assert deep["options__training.steps"] == 5
    assert deep["options__model.hidden"] == 3
    assert deep.items() >= tagger.get_params(deep=False).items()
    assert tagger.set_params(**{"options__training.steps": 7, "seed": 4}) is tagger
    assert (tagger.options, tagger.seed) == ({"training.steps": 7, "model.hidden": 3}, 4)
    assert given["training.steps"] == 5  # the user's own is left alone
    tagger.set_params(options={"model.hidden": 9}, **{"options__training.steps": 1})
    assert tagger.options == {"model.hidden": 9, "training.steps": 1}
    again = LaDTLTagger().set_params(**tagger.get_params())
    assert again.get_params() == tagger.get_params()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sede", "'sede' is no parameter of LaDTLTagger"),
        ("options__training.stepps", r"training\.stepps is no option"),
        ("options__seed", "the parameter seed"),
        ("options__data.dev", "dev= of fit"),
    ],
)
def test_what_is_no_parameter_is_refused_and_nothing_is_set(name: str, message: str) -> None:
    tagger = LaDTLTagger()
    with pytest.raises(UsageError, match=message):
        tagger.set_params(**{"seed": 9, "options__training.steps": 1, name: 1})
    assert tagger.get_params() == LaDTLTagger().get_params()


def test_a_tagger_shows_what_differs_from_the_defaults() -> None:
    assert repr(LaDTLTagger()) == "LaDTLTagger()"
    tagger = LaDTLTagger("la-mmd", seed=2, options={"training.steps": 1})
    told = "LaDTLTagger(method='la-mmd', seed=2, options={'training.steps': 1})"
    assert repr(tagger) == str(tagger) == told
    assert repr(eval(told)) == told


def test_scikit_learn_knows_what_it_is_and_whether_it_is_fitted() -> None:
    tagger = LaDTLTagger("non-transfer", options=SHORT)
    tags = get_tags(tagger)
    assert (tags.estimator_type, tags.target_tags.required, tags.requires_fit) == (None, True, True)
    assert (tags.input_tags.string, tags.input_tags.two_d_array) == (True, False)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        check_is_fitted(tagger)
    check_is_fitted(tagger.fit(X, Y))


# ---- cross-validation ----------------------------------------------------------------------------


def by_hand(tagger: LaDTLTagger, **arguments: Any) -> list[float]:
    """Scores of both folds, without scikit-learn's part in it."""
    scores = []
    for train, test in FOLDS.split(X):
        fold = LaDTLTagger(**tagger.get_params(deep=False))
        fold.fit([X[n] for n in train], [Y[n] for n in train], **arguments)
        scores.append(fold.score([X[n] for n in test], [Y[n] for n in test]))
    return scores


def test_cross_validation_is_what_it_is_by_hand() -> None:
    tagger = LaDTLTagger(options=OPTIONS | {"training.steps": 40})
    found = cross_val_score(tagger, X, Y, cv=FOLDS, params={"source": SOURCE})
    assert found.tolist() == by_hand(tagger, source=SOURCE)
    assert min(found) > 0.3
    both = cross_validate(tagger, X, Y, cv=FOLDS, params={"source": SOURCE}, return_estimator=True)
    assert both["test_score"].tolist() == found.tolist()
    assert all(hasattr(one, "model_") for one in both["estimator"])


def test_folds_may_be_trained_by_processes_of_joblib() -> None:
    tagger = LaDTLTagger(options=SHORT)
    given = {"cv": FOLDS, "params": {"source": SOURCE}, "return_estimator": True}
    alone = cross_validate(tagger, X, Y, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of joblib, on what becomes of its processes
        both = cross_validate(tagger, X, Y, n_jobs=2, **given)
        get_reusable_executor().shutdown()
    assert both["test_score"].tolist() == alone["test_score"].tolist()
    for one, other in zip(both["estimator"], alone["estimator"], strict=True):
        assert model_bytes(one.model_) == model_bytes(other.model_)
        assert one.predict(X) == other.predict(X)


def test_metadata_routing_hands_the_source_on(routing: None) -> None:
    tagger = LaDTLTagger(options=SHORT)
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="source"):
        cross_val_score(tagger, X, Y, cv=FOLDS, params={"source": SOURCE})
    assert tagger.set_fit_request(source=True) is tagger
    found = cross_val_score(tagger, X, Y, cv=FOLDS, params={"source": SOURCE})
    assert found.tolist() == by_hand(tagger, source=SOURCE)
    with pytest.raises(UsageError, match="'sauce' is none of the arguments of fit"):
        tagger.set_fit_request(sauce=True)


def test_requests_under_another_name_live_in_clones_and_pipelines(routing: None) -> None:
    tagger = LaDTLTagger(options=SHORT).set_fit_request(source="ward", dev=False)
    line = Pipeline([("upper", FunctionTransformer(upper)), ("tagger", clone(tagger))])
    found = cross_val_score(line, X, Y, cv=FOLDS, params={"ward": SOURCE})
    plain = LaDTLTagger(options=SHORT)
    train, test = next(FOLDS.split(X))
    plain.fit(upper([X[n] for n in train]), [Y[n] for n in train], source=SOURCE)
    assert found[0] == plain.score(upper([X[n] for n in test]), [Y[n] for n in test])


def test_ctrl_c_twice_ends_a_cross_validation(press: Callable[..., None]) -> None:
    press(3)
    tagger = LaDTLTagger("non-transfer", options=SHORT)
    with pytest.warns(UserWarning, match="interrupted") as warned, pytest.raises(KeyboardInterrupt):
        cross_val_score(tagger, X, Y, cv=KFold(4))
    assert len(warned) == 2


# ---- searches ------------------------------------------------------------------------------------


def test_a_grid_varies_method_seed_and_single_options() -> None:
    tagger = LaDTLTagger(options=OPTIONS)
    grid = {
        "method": ["la-dtl", "non-transfer"],
        "seed": np.arange(2),
        "options__training.steps": [1, 60],
    }
    search = GridSearchCV(tagger, grid, cv=FOLDS).fit(X, Y, source=SOURCE)
    results = search.cv_results_
    assert len(results["params"]) == 8
    assert not np.isnan(results["mean_test_score"]).any()
    for n, parameters in enumerate(results["params"]):
        one = by_hand(clone(tagger).set_params(**parameters), source=SOURCE)
        assert results["mean_test_score"][n] == np.mean(one)
    best = search.best_estimator_
    assert best.options == OPTIONS | {"training.steps": 60}
    assert search.predict(X) == best.predict(X)
    assert search.score(X, Y) == best.score(X, Y)


def test_a_grid_varies_all_options_at_once() -> None:
    choices = [SHORT, SHORT | {"model.hidden": 3}]
    search = GridSearchCV(LaDTLTagger("non-transfer"), {"options": choices}, cv=FOLDS).fit(X, Y)
    assert search.best_params_["options"] in choices


def test_numbers_that_distributions_draw_are_numbers() -> None:
    drawn = {"options__objective.w_mmd": np.linspace(0.01, 0.1, 4), "seed": np.arange(5)}
    search = RandomizedSearchCV(LaDTLTagger(options=SHORT), drawn, n_iter=2, cv=FOLDS)
    search.fit(X, Y, source=SOURCE)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


# ---- pipelines -----------------------------------------------------------------------------------


def test_a_tagger_is_the_last_step_of_a_pipeline() -> None:
    line = Pipeline([("upper", FunctionTransformer(upper)), ("tagger", LaDTLTagger())])
    line.set_params(**{"tagger__options__training.steps": 10, "tagger__seed": 2})
    assert line.named_steps["tagger"].options == {"training.steps": 10}
    line.set_params(tagger__options=SHORT)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        check_is_fitted(line)
    line.fit(X, Y, tagger__source=SOURCE)
    check_is_fitted(line)
    alone = LaDTLTagger(seed=2, options=SHORT).fit(upper(X), Y, source=SOURCE)
    assert line.predict(X) == alone.predict(upper(X))
    assert line.score(X, Y) == alone.score(upper(X), Y)
    for ours, theirs in zip(line.predict_proba(X), alone.predict_proba(upper(X)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    grid = {"tagger__options__training.steps": [1, 2]}
    search = GridSearchCV(line, grid, cv=FOLDS).fit(X, Y, tagger__source=SOURCE)
    assert search.best_params_.keys() == grid.keys()
