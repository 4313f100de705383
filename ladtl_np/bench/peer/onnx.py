"""The stronger peer of tagging: embedding and BiLSTM by onnxruntime's operator, nothing else."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ladtl_np.bench.measure import Part
from ladtl_np.bench.tagging_case import TaggingCase
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.shapes import Floats

__all__ = ["available", "encode"]

OPSET = 17


def available() -> bool:
    """Whether onnxruntime and onnx can be imported."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def _gates(columns: Floats) -> Floats:
    """Bring the last axis from gate order i, f, o, g to ONNX's i, o, f, g."""
    i, f, o, g = np.split(columns, 4, axis=-1)
    return np.concatenate([i, o, f, g], axis=-1)


def _initialisers(network: Network) -> dict[str, Floats]:
    """The table, and the weights of both directions as the operator wants them."""
    stacked = {
        kind: np.stack(
            [_gates(network.weights[f"{way}.{kind}"]) for way in ("forward", "backward")]
        )
        for kind in "WUb"
    }
    return {
        "table": network.embedding,
        "W": stacked["W"].transpose(0, 2, 1),
        "R": stacked["U"].transpose(0, 2, 1),
        "B": np.concatenate([stacked["b"], np.zeros_like(stacked["b"])], axis=1),
    }


def _graph(network: Network) -> bytes:
    """Words (T, B) and lengths (B,) to hidden states (T, 2, B, H)."""
    onnx: Any = import_module("onnx")
    make, H = onnx.helper, network.architecture.hidden
    nodes = [
        make.make_node("Gather", ["table", "words"], ["X"]),
        make.make_node(
            "LSTM",
            ["X", "W", "R", "B", "lengths"],
            ["hidden"],
            hidden_size=H,
            direction="bidirectional",
        ),
    ]
    kinds = onnx.TensorProto
    graph = make.make_graph(
        nodes,
        "encoder",
        [
            make.make_tensor_value_info("words", kinds.INT64, ["T", "B"]),
            make.make_tensor_value_info("lengths", kinds.INT32, ["B"]),
        ],
        [make.make_tensor_value_info("hidden", kinds.FLOAT, ["T", 2, "B", H])],
        [
            onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in _initialisers(network).items()
        ],
    )
    opset = [make.make_opsetid("", OPSET)]
    model = make.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _session(network: Network, threads: int) -> Any:
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # between calls its threads would go on spinning, and take the cores from whoever is next
    options.add_session_config_entry("session.force_spinning_stop", "1")
    providers = ["CPUExecutionProvider"]
    return runtime.InferenceSession(_graph(network), options, providers=providers)


def _padded(sentences: list[EncodedSentence]) -> dict[str, Any]:
    lengths = np.array([sentence.words.size for sentence in sentences], np.int32)
    words = np.zeros((int(lengths.max()), len(sentences)), np.int64)
    for column, sentence in enumerate(sentences):
        words[: sentence.words.size, column] = sentence.words
    return {"words": words, "lengths": lengths}


def encode(text: TaggingCase, threads: int) -> Part:
    """Hidden states of every batch, from padded row numbers; sentences of like length together."""
    session = _session(text.model.network, threads)
    batches = text.batches(by_length=True)
    padded = [_padded([text.sentences[n] for n in batch]) for batch in batches]

    def view(outputs: list[Floats]) -> dict[str, Floats]:
        """Hidden states (N, 2H), tokens in the order of the text."""
        states: list[Floats] = [np.empty(0)] * len(text.sentences)
        for hidden, batch in zip(outputs, batches, strict=True):
            for column, n in enumerate(batch):
                rows = hidden[: text.sentences[n].words.size, :, column]
                states[n] = rows.reshape(len(rows), -1)
        return {"hidden": np.concatenate(states)}

    return Part(lambda: [session.run(["hidden"], batch)[0] for batch in padded], view)
