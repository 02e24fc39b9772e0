"""Our file, in and out: OpenRaster, which Krita, GIMP and MyPaint open too.

Elsewhere: ora_layout.py (what lies where), ora_writer.py, ora_reader.py; saving on a thread in saving.py.
"""

from app.document.ora_reader import read_ora
from app.document.ora_writer import write_ora

__all__ = ["read_ora", "write_ora"]
