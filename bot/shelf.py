"""gather(package): the one-file plug-ins of a folder. A newcomer adds a file and edits no list."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def gather(package: ModuleType, *needed: str) -> list[ModuleType]:
    """Every module of the package that has all the `needed` names, by file name.

    Raises TypeError for a module that lacks one: a plug-in that is half there is a mistake.
    """
    found = []
    for item in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{item.name}")
        missing = [name for name in needed if not hasattr(module, name)]
        if missing:
            raise TypeError(f"{module.__name__} lacks {', '.join(missing)}")
        found.append(module)
    return found
