"""Find the files that come with the program: beside the code in a clone, under ``app/_data`` in an installed wheel."""

from pathlib import Path

from app.errors import ResourceError

APP_DIR = Path(__file__).resolve().parent


def resources_dir() -> Path:
    """The folder of icons and samples.

    Raises:
        ResourceError: if neither place has it.
    """
    places = (APP_DIR / "_data" / "resources", APP_DIR.parent / "resources")
    for place in places:
        if place.is_dir():
            return place
    raise ResourceError("resources", f"a folder at {places[0]}", "none", "install pentimento again")
