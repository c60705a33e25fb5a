"""Modules that load when they are first used, not when they are imported.

torch imports some modules at its start for tracing and export alone, a quarter of the import's
time; a submission's gradients never touch them. importlib's own LazyLoader won't do: `inspect` asks
every module for its file while torch is being imported, and that counts as use there.
"""

import importlib.machinery
import inspect
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder


def defer(*names: str) -> None:
    """From now on, let these modules load at their first use. To be called before they are imported."""
    sys.meta_path.insert(0, _Finder(names))


@contextmanager
def unread() -> Iterator[None]:
    """Meanwhile `inspect` finds a frame's module by its name, not by the files of all modules there are."""
    real = inspect.getmodule

    def named(object: object, _filename: str | None = None) -> types.ModuleType | None:
        if isinstance(object, types.FrameType):
            return sys.modules.get(object.f_globals["__name__"])
        return real(object, _filename)

    inspect.getmodule = named
    try:
        yield
    finally:
        inspect.getmodule = real


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        loader = types.ModuleType.__getattribute__(self, "__spec__").loader
        self.__class__ = types.ModuleType  # type: ignore[assignment]
        loader.real.exec_module(self)
        return getattr(self, name)


class _Loader(Loader):
    def __init__(self, real: Loader) -> None:
        self.real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass  # at first use


class _Finder(MetaPathFinder):
    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec
