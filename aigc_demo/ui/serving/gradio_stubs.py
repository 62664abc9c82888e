"""gradio without its stub files, which it writes for editors whenever it is imported.

For each of its components it parses the source, renders a template and parses the `.pyi` file beside the
source, to bring that up to date: a third of the time of `import gradio`. No running program reads them.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

MODULE = "gradio.component_meta"
WRITER = "create_or_modify_pyi"


def skip_stubs() -> None:
    """Let the gradio that is imported next write no stub files.

    Where gradio is imported already, or has no such function any more, everything stays as it is.
    """
    if MODULE not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the one module, as Python would, and lets it be loaded by `_Loader`; then it is gone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Loads the module and takes out its writer of stub files."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, WRITER):
            setattr(module, WRITER, _write_nothing)


def _write_nothing(*arguments: Any) -> None:
    """In the place of the writer."""
