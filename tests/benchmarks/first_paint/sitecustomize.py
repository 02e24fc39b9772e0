"""Print the time of a Qt program's first paint, or of a certain widget's, and end it; for measuring the cold start.

Python imports this by itself when the folder is on PYTHONPATH, so the program starts as it always does. Only a process
that has PENTIMENTO_BENCH_FIRST_PAINT set is timed, and it hides the variable from its children. The variable is ``any``
or the object name of a widget. Printed are the seconds since the epoch when control came back to the event loop after
its first paint.
"""

import importlib.abc
import importlib.util
import os
import sys
import time
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

VARIABLE = "PENTIMENTO_BENCH_FIRST_PAINT"
MODULE = "PySide6.QtWidgets"


class Finder(importlib.abc.MetaPathFinder):
    """Finds Qt's widgets as they are, with an application that watches for paints."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        loader = spec.loader
        assert loader is not None
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            module.QApplication = watched(module.QApplication, self.name)  # type: ignore[attr-defined]

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def watched(application: Any, name: str) -> Any:
    from PySide6.QtCore import QEvent, QObject, QTimer

    class Watch(QObject):
        def eventFilter(self, watched: Any, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.Paint and name in ("any", watched.objectName()):
                QTimer.singleShot(0, tell)
            return False

    def tell() -> None:
        sys.stdout.write(f"{time.time():.6f}\n")
        sys.stdout.flush()
        os._exit(0)

    class Watched(application):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.watch = Watch()
            self.installEventFilter(self.watch)

    return Watched


_name = os.environ.pop(VARIABLE, "")
if _name:
    sys.meta_path.insert(0, Finder(_name))
