"""What lies where in our file, and how our kinds of layers look to other programs.

An OpenRaster file is a zip. Any program finds ``stack.xml``, the PNG of every layer and the flattened picture. Ours also
finds ``pentimento/document.json`` and what it names: strokes, results, recipe steps. What we do not know survives.

Elsewhere: writing in ora_writer.py, reading in ora_reader.py.
"""

FORMAT = 1
"""Version of our own entries; a later one is not opened by this program."""
MIME_TYPE = b"image/openraster"
MIME_ENTRY = "mimetype"
STACK_ENTRY = "stack.xml"
MERGED_ENTRY = "mergedimage.png"
THUMBNAIL_ENTRY = "Thumbnails/thumbnail.png"
THUMBNAIL_PX = 256
OWN_FOLDER = "pentimento/"
INDEX_ENTRY = "pentimento/document.json"
SAMPLES_ENTRY = "pentimento/strokes.f32"
"""Samples of all strokes behind each other: little-endian float32, five a sample."""
PROFILE_ENTRY = "pentimento/profile.icc"
EXIF_ENTRY = "pentimento/camera.exif"
METADATA_ENTRY = "pentimento/metadata.json"
LEARNED_ENTRY = "pentimento/learned.safetensors"
"""What was learned of the picture, as the weights file it is; what it must be stands in the index."""
RESULTS_FOLDER = "pentimento/results/"
DATA_FOLDER = "data/"
RESULT_LAYER_ENTRY = "data/result.png"
RESULT_LAYER_NAME = "Result"

PLANE_COLOURS = {
    "coverage": (230, 159, 0),
    "drawn": (0, 114, 178),
    "erased": (213, 94, 0),
    "locked": (0, 158, 115),
}
"""Colour of each plane where other programs show it, 8 bits a channel; told apart by colour-blind eyes too.

Source: Okabe and Ito, "Color Universal Design", 2008."""
PLANE_NAMES = {"drawn": "Drawn", "erased": "Erased", "locked": "Locked"}
"""Names of the layers in the group of an edges layer."""


def plane_entry(layer_id: str, kind: str, plane: str) -> str:
    """Entry of a layer's plane."""
    return f"{DATA_FOLDER}{layer_id}.png" if kind != "edges" else f"{DATA_FOLDER}{layer_id}-{plane}.png"


RESULT_THUMBNAIL = "thumbnail"
"""Key and entry of what a result looked like where it was made."""


def result_entry(result_id: str, array: str) -> str:
    """Entry of a result's pixels, coverage or edges."""
    return f"{RESULTS_FOLDER}{result_id}-{array}.png"


def is_own_entry(name: str, sources: frozenset[str]) -> bool:
    """Whether an entry is written anew at every save, so that the old one does not survive.

    Args:
        name: of the entry.
        sources: entries the stack of the file names.
    """
    fixed = (MIME_ENTRY, STACK_ENTRY, MERGED_ENTRY, THUMBNAIL_ENTRY)
    return name in fixed or name in sources or name.startswith(OWN_FOLDER)
