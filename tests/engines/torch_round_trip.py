"""Run by test_torch.py in an environment that has torch and the runtime: objects through a real store and back."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

from crossdock_runtime.artifacts import load, save
from crossdock_runtime.store import Store

store = Store.open(Path(sys.argv[1]))
numbers = iter(range(100))


def round_trip(value: object, materializer: str) -> object:
    manifest = save(store, value, f"data/r/t/1/{next(numbers)}", producer={"run": "r"})
    assert manifest.materializer == materializer, manifest.materializer
    assert manifest.size > 0
    return load(store, manifest, scratch=Path(tempfile.mkdtemp(dir=sys.argv[1])))


for tensor in (
    torch.arange(6).reshape(2, 3),
    torch.tensor(1.5),
    torch.zeros(0),
    torch.tensor([1.0, float("nan")], dtype=torch.bfloat16),
    torch.tensor([1 + 2j]),
    torch.ones(3, requires_grad=True),
    torch.eye(3).to_sparse(),
):
    back = round_trip(tensor, "torch.Tensor@1")
    assert isinstance(back, torch.Tensor)
    assert (back.dtype, back.shape, back.layout, back.requires_grad) == (
        tensor.dtype, tensor.shape, tensor.layout, tensor.requires_grad,
    )  # fmt: skip
    assert torch.equal(back.to_dense().nan_to_num(), tensor.to_dense().nan_to_num())

parameter = round_trip(torch.nn.Parameter(torch.ones(2)), "torch.Tensor@1")
assert type(parameter) is torch.nn.Parameter

model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).eval()
again = round_trip(model, "torch.Module@1")
assert type(again) is torch.nn.Sequential
assert not again.training
inputs = torch.randn(5, 4)
assert torch.equal(again(inputs), model(inputs))
print("torch", torch.__version__)
