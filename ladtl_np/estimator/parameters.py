"""What scikit-learn's tools ask of an estimator; scikit-learn is imported only when it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ladtl_np.corpus.dotted import flattened
from ladtl_np.errors import UsageError
from ladtl_np.estimator.options import require_option
from ladtl_np.printable import shown

__all__ = ["Parameters"]

_OPTION = "options__"


class Parameters:
    """Parameters by name, tags, and requests for metadata.

    Single options are parameters of their own under the name ``options__`` and their key, such as
    ``options__training.steps``, so that a grid can vary them.
    """

    _names: ClassVar[tuple[str, ...]]
    _fit_metadata: ClassVar[tuple[str, ...]]
    options: Any

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the constructor and, if `deep`, every option that is set."""
        found = {name: getattr(self, name) for name in self._names}
        if deep:
            found |= {f"{_OPTION}{key}": value for key, value in self._set_options().items()}
        return found

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters by name; ``options__KEY`` changes one option and leaves the others.

        Raises
        ------
        UsageError
            If there is no such parameter or option; then nothing is changed.
        """
        plain = {k: v for k, v in parameters.items() if not k.startswith(_OPTION)}
        single = {k.removeprefix(_OPTION): v for k, v in parameters.items() if k not in plain}
        for name in plain:
            if name not in self._names:
                raise UsageError(
                    f"{shown(name)!r} is no parameter of {type(self).__name__}, which has "
                    f"{', '.join(self._names)}, and {_OPTION}KEY for an option such as "
                    f"{_OPTION}training.steps"
                )
        for key in single:
            require_option(key)
        for name, value in plain.items():
            setattr(self, name, value)
        if single:  # another dictionary: clones and users may hold the one that there is
            self.options = {**self._set_options(), **single}
        return self

    def _set_options(self) -> dict[str, Any]:
        """The options by their keys; nothing of what is no dictionary, which `fit` refuses."""
        return flattened(self.options) if isinstance(self.options, Mapping) else {}

    def __repr__(self) -> str:
        given = [(name, getattr(self, name)) for name in self._names]
        default = type(self)()
        told = [f"{k}={v!r}" for k, v in given if v != getattr(default, k)]
        return f"{type(self).__name__}({', '.join(told)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        given = InputTags(one_d_array=True, two_d_array=False, string=True)
        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True),
            input_tags=given,
            no_validation=True,
        )

    def get_metadata_routing(self) -> Any:
        """Which arguments of `fit` scikit-learn may hand on to it."""
        from sklearn.utils.metadata_routing import MetadataRequest

        found = getattr(self, "_metadata_request", None)
        if found is None:
            found = MetadataRequest(owner=type(self).__name__)
            for name in self._fit_metadata:
                found.fit.add_request(param=name, alias=None)
            # a pipeline offers it to every last step's score
            found.score.add_request(param="sample_weight", alias=None)
        return found

    def set_fit_request(self, **requests: bool | str | None) -> Self:
        """Ask scikit-learn's metadata routing for arguments of `fit`, as in ``source=True``.

        Parameters
        ----------
        **requests
            Names of arguments of `fit`: True to be handed what goes by this name, a string for what
            goes by another one, False to do without, None to refuse it.

        Raises
        ------
        UsageError
            If `fit` has no such argument.
        """
        found = self.get_metadata_routing()
        for name, request in requests.items():
            if name not in self._fit_metadata:
                raise UsageError(
                    f"{shown(name)!r} is none of the arguments of fit that can be requested: "
                    f"{', '.join(self._fit_metadata)}"
                )
            found.fit.add_request(param=name, alias=request)
        self._metadata_request = found
        return self
