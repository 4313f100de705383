"""The same model in PyTorch and onnxruntime: checked equal, then measured beside ours."""
