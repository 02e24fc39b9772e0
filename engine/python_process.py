"""How a Python process of ours is started: with this process's modules, and never with those of the current folder.

Python puts the current folder first on the path of ``python -m`` and ``python -c``, which is how everybody starts
Python from Python. Started in a folder of unpacked downloads, the program would run a ``json.py`` that lies there. So
everything of ours that starts Python comes here: `start` for processes of our own, `starting_safely` around a library
that starts some itself.

The user's ``PYTHONPATH`` holds in children as it does here. Only its empty entries are left out: they mean the current
folder, and come from ``PYTHONPATH=$PYTHONPATH:/more`` where nothing was set.

Elsewhere: ``python -m app`` and ``python -m engine.training`` drop the current folder in their first lines.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""Where app, engine and models lie: a clone, or site-packages."""

_BOOT = (
    "import sys; sys.path[:] = sys.argv.pop(1).split({separator!r}); "
    "from importlib import import_module; sys.exit(import_module(sys.argv.pop(1)).main())"
)
_changing_environment = threading.Lock()


def start(
    module: str, words: Sequence[str] = (), *, handles: Sequence[int] = (), **options: Any
) -> "subprocess.Popen[bytes]":
    """Start ``module.main()`` in a process of its own, which finds the modules that this one finds.

    It gets a session of its own, so that Ctrl-C in a terminal reaches this process alone, which decides.

    Args:
        module: its dotted name; its ``main`` reads ``sys.argv`` and returns an exit code.
        words: for its command line.
        handles: what the child inherits beside its standard streams, under the same numbers.
        options: further ones of `subprocess.Popen`.

    Raises:
        OSError: if the system makes no process.
    """
    boot = _BOOT.format(separator=os.pathsep)
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    command = [sys.executable, "-P", *flags, "-c", boot, os.pathsep.join(own_path()), module, *words]
    environment = {**environment_of_children(), **options.pop("env", {})}
    if sys.platform == "win32":
        for handle in handles:
            os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": list(handles)})
        return subprocess.Popen(command, env=environment, startupinfo=startup, **options)
    return subprocess.Popen(
        command, env=environment, pass_fds=tuple(handles), start_new_session=True, **options
    )


def own_path() -> list[str]:
    """Where this process looks for modules, without what means the current folder."""
    found = list(sys.path)
    if "" in os.environ.get("PYTHONPATH", "x").split(os.pathsep) and os.getcwd() in found:
        found.remove(os.getcwd())  # the first one: what the environment names stands before all else
    found = [entry for entry in found if os.path.isabs(entry)]
    return found if ROOT in found else [*found, ROOT]


def environment_of_children() -> dict[str, str]:
    """This process's environment, without the current folder in ``PYTHONPATH``."""
    environment = dict(os.environ)
    if "PYTHONPATH" in environment:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, environment["PYTHONPATH"].split(os.pathsep)))
    return environment


@contextmanager
def starting_safely() -> Iterator[None]:
    """Within it, Python processes that a library starts look for no modules in the current folder.

    What such a process finds beside the installed modules is the clone that this one runs from, if it does.
    """
    changed = environment_of_children() | {"PYTHONSAFEPATH": "1"}
    if os.path.isfile(os.path.join(ROOT, "pyproject.toml")):
        changed["PYTHONPATH"] = os.pathsep.join(filter(None, (ROOT, changed.get("PYTHONPATH"))))
    names = ("PYTHONPATH", "PYTHONSAFEPATH")
    with _changing_environment:
        before = {name: os.environ.get(name) for name in names}
        os.environ.update({name: changed[name] for name in names if name in changed})
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
