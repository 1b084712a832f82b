"""PyTorch tensors and modules, by `torch.save`; both are read onto the CPU.

A tensor's file is read with `weights_only`, so it cannot run code. A whole module's file is a pickle: it is
read only through a manifest of this store, after its digest was verified.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer, library

_FILE = "data.pt"


class TensorMaterializer(Materializer):
    """`torch.Tensor` and `torch.nn.Parameter`."""

    name: ClassVar[str] = "torch.Tensor"
    types: ClassVar[tuple[str, ...]] = ("torch.Tensor",)

    def save(self, value: Any, folder: Path) -> None:
        library("torch", "a tensor").save(value, folder / _FILE)

    def load(self, folder: Path, as_type: type | None) -> Any:
        torch = library("torch", "a stored tensor")
        return torch.load(folder / _FILE, map_location="cpu", weights_only=True)


class ModuleMaterializer(Materializer):
    """`torch.nn.Module` whole, so its class must be importable where it is read."""

    name: ClassVar[str] = "torch.Module"
    types: ClassVar[tuple[str, ...]] = ("torch.nn.modules.module.Module",)

    def save(self, value: Any, folder: Path) -> None:
        library("torch", "a module").save(value, folder / _FILE)

    def load(self, folder: Path, as_type: type | None) -> Any:
        torch = library("torch", "a stored module")
        return torch.load(folder / _FILE, map_location="cpu", weights_only=False)
