"""Everything a user can ask for, as one table: menus, bars, the shortcut sheet and re-binding are made from it.

An action names its handler as a path from the window: ``files.copy`` is ``window.files.copy()``, and what follows a
colon is handed over as a word: ``tools.choose:brush`` is ``window.tools.choose("brush")``. A checkable action hands over
whether it is on. Keys stand in ``resources/keys``; no Qt here.

Elsewhere: keys in keys.py; Qt's actions made from the table in actions.py.
"""

from dataclasses import dataclass
from typing import Literal

Area = Literal["File", "Edit", "View", "Tools", "Mask", "Fill", "Window", "Help"]
AREAS: tuple[Area, ...] = ("File", "Edit", "View", "Tools", "Mask", "Fill", "Window", "Help")
"""Menus, from left to right; the shortcut sheet has the same order."""

Need = Literal["", "document", "hole", "result", "undo", "redo", "busy", "picture_layer"]
"""What must be there for an action to be enabled."""


@dataclass(frozen=True)
class ActionSpec:
    """One thing a user can ask for."""

    id: str
    """Name in key files and tests, snake_case."""
    text: str
    """Words of the menu; & marks its letter, an ellipsis says that more will be asked."""
    handler: str
    """Path from the window to what is called."""
    area: Area
    tip: str
    """What it does, in one sentence."""
    icon: str = ""
    """File name in resources/icons without its ending."""
    needs: Need = "document"
    is_checkable: bool = False
    is_on: bool = False
    """Whether a checkable action starts switched on."""
    starts_group: bool = False
    """Whether a line is drawn above it in the menu."""

    @property
    def plain_text(self) -> str:
        """The words without & and ellipsis, for the shortcut sheet and tooltips."""
        return self.text.replace("&&", "\0").replace("&", "").replace("\0", "&").removesuffix("…")


def _tool(id: str, text: str, tip: str, *, icon: str = "", starts_group: bool = False) -> ActionSpec:
    return ActionSpec(
        f"tool_{id}", text, f"tools.choose:{id}", "Tools", tip, icon=icon or id, needs="", is_checkable=True,
        starts_group=starts_group,
    )  # fmt: skip


ACTIONS: tuple[ActionSpec, ...] = (
    # File
    ActionSpec("open", "&Open…", "files.ask_open", "File", "Open a photo or a document", "open", needs=""),
    ActionSpec(
        "new_from_clipboard", "&New from Clipboard", "files.new_from_clipboard", "File",
        "Open the picture that was copied", "clipboard", needs="",
    ),
    ActionSpec(
        "new_window", "New &Window", "new_window", "File", "Open a second window", "new-window", needs=""
    ),
    ActionSpec(
        "save", "&Save", "saving.save", "File",
        "Save the document with its layers, strokes and results", "save", starts_group=True,
    ),
    ActionSpec("save_as", "Save &As…", "saving.save_as", "File", "Save the document under another name"),
    ActionSpec(
        "export", "&Export Picture", "files.export", "File",
        "Write what you see to the picture file it was last exported to", "export", starts_group=True,
    ),
    ActionSpec("export_as", "E&xport Picture As…", "files.export_as", "File", "Write what you see as PNG, JPEG, TIFF or WebP"),
    ActionSpec(
        "unsaved_work", "&Unsaved Work", "recoveries.show_offer", "File",
        "Show what was not saved when the program last ended unexpectedly", "history", needs="",
    ),
    ActionSpec("close", "&Close", "saving.close_document", "File", "Close the document, or the window where there is none", needs="", starts_group=True),
    ActionSpec("quit", "&Quit", "quit", "File", "Close every window", needs=""),
    # Edit
    ActionSpec("undo", "&Undo", "undo", "Edit", "Take back the last step", "undo", needs="undo"),
    ActionSpec("redo", "&Redo", "redo", "Edit", "Do again what was taken back", "redo", needs="redo"),
    ActionSpec(
        "copy", "&Copy", "files.copy", "Edit", "Copy what you see to the clipboard", "copy", starts_group=True
    ),
    ActionSpec(
        "paste", "&Paste as Layer", "files.paste", "Edit", "Put the copied picture on a layer of its own", "clipboard"
    ),
    ActionSpec("settings", "Se&ttings…", "show_settings", "Edit", "Theme, mask colour, filling", "settings", needs="", starts_group=True),
    ActionSpec("keys", "&Keyboard Shortcuts…", "show_keys", "Edit", "Change the keys of any action", "keyboard", needs=""),
    # View
    ActionSpec("zoom_in", "Zoom &In", "view.zoom_in", "View", "Look closer", "zoom-in"),
    ActionSpec("zoom_out", "Zoom &Out", "view.zoom_out", "View", "See more", "zoom-out"),
    ActionSpec("fit", "&Fit to Window", "view.fit", "View", "Show the whole picture", "fit"),
    ActionSpec("actual_size", "&Actual Pixels", "view.actual_size", "View", "One pixel of the picture on one of the screen", "actual-size"),
    ActionSpec("rotate_left", "Rotate View &Left", "view.rotate_left", "View", "Turn the view by 15°; the picture stays as it is", "rotate-left", starts_group=True),
    ActionSpec("rotate_right", "Rotate View &Right", "view.rotate_right", "View", "Turn the view by 15°; the picture stays as it is", "rotate-right"),
    ActionSpec("mirror", "&Mirror View", "view.mirror", "View", "Swap left and right of the view; the picture stays as it is", "mirror"),
    ActionSpec("reset_rotation", "Re&set View", "view.reset_rotation", "View", "Stand upright again"),
    ActionSpec(
        "wipe", "&Wipe Before/After", "view.set_wipe", "View",
        "Drag a line over the picture: before on one side, after on the other", "compare", needs="result",
        is_checkable=True, starts_group=True,
    ),
    ActionSpec("mask_outline", "Mas&k as Outline", "view.set_mask_outline", "View", "Show only the mask's outline, to see the picture below", "mask", is_checkable=True, starts_group=True),
    ActionSpec("show_edges", "Show &Edges", "view.show_edges", "View", "Show the edges in the hole", "edges", is_checkable=True, is_on=True),
    # Tools
    _tool("brush", "&Brush", "Paint the mask or the edges"),
    _tool("eraser", "&Eraser", "Rub out what is painted"),
    _tool("edge_lock", "Loc&k Edges", "Keep edges as they are", icon="edge-lock"),
    _tool("rectangle", "&Rectangle", "Mask a rectangle", starts_group=True),
    _tool("ellipse", "E&llipse", "Mask an ellipse"),
    _tool("lasso", "L&asso", "Mask what you draw round"),
    _tool("polygon", "&Polygon", "Mask a polygon, corner by corner"),
    _tool("wand", "Magic &Wand", "Mask what has the colour you click"),
    _tool("bucket", "B&ucket", "Fill the mask up to the next colour border"),
    _tool("frame", "Context &Frame", "Choose what the fill looks at around the hole"),
    _tool("retarget", "Retarget &Shape", "Pull the picture into another size or shape", starts_group=True),
    _tool("hand", "&Hand", "Move the picture", starts_group=True),
    _tool("zoom", "&Zoom", "Click to look closer, Alt+click to see more"),
    ActionSpec("switch_target", "Switch &Target", "tools.switch_target", "Tools", "Paint on the mask or on the edges", "edges", needs="", starts_group=True),
    ActionSpec("brush_smaller", "S&maller Brush", "tools.brush_smaller", "Tools", "Make the brush smaller", needs=""),
    ActionSpec("brush_larger", "Lar&ger Brush", "tools.brush_larger", "Tools", "Make the brush larger", needs=""),
    ActionSpec("brush_softer", "S&ofter Brush", "tools.brush_softer", "Tools", "Make the brush's edge softer", needs=""),
    ActionSpec("brush_harder", "Har&der Brush", "tools.brush_harder", "Tools", "Make the brush's edge harder", needs=""),
    # Mask
    ActionSpec("mask_all", "Mask &All", "masks.select_all", "Mask", "Mask the whole picture", "select-all"),
    ActionSpec("mask_clear", "&Clear Mask", "masks.clear", "Mask", "Mask nothing", "clear"),
    ActionSpec("mask_invert", "&Invert Mask", "masks.invert", "Mask", "Swap masked and unmasked", "invert"),
    ActionSpec("mask_grow", "&Grow Mask…", "masks.grow", "Mask", "Make the mask wider", "grow", starts_group=True),
    ActionSpec("mask_shrink", "&Shrink Mask…", "masks.shrink", "Mask", "Make the mask narrower", "shrink"),
    ActionSpec("mask_feather", "&Feather Mask…", "masks.feather", "Mask", "Soften the mask's edge", "feather"),
    ActionSpec("mask_load", "&Load Mask…", "masks.load", "Mask", "Take the mask from a picture file: white is masked", "load", starts_group=True),
    ActionSpec("mask_save", "Sa&ve Mask…", "masks.save", "Mask", "Write the mask to a picture file", "export"),
    ActionSpec("edges_clear", "Clear &Edges", "masks.clear_edges", "Mask", "Forget the edges that were drawn, erased and locked", starts_group=True),
    # Fill
    ActionSpec("fill", "&Fill", "fill_now", "Fill", "Fill the masked part now; with the retarget tool, remake the picture", "fill", needs="hole"),
    ActionSpec("fill_variants", "Fill &Variants", "fill_variants", "Fill", "Fill several times, each a little different", "variants", needs="hole"),
    ActionSpec("cancel", "&Cancel", "cancel", "Fill", "Stop the stroke or the fill that is running", "cancel", needs=""),
    ActionSpec("live", "Fill While You &Draw", "set_live", "Fill", "A quick draft after each stroke, the full result when you pause", "live", needs="", is_checkable=True, is_on=True, starts_group=True),
    ActionSpec("apply_result", "&Apply Result as Layer", "fill.apply_as_layer", "Fill", "Keep the result as a layer, and clear mask and edges", "apply", needs="result", starts_group=True),
    ActionSpec("hide_result", "&Hide Result", "hide_result", "Fill", "Show the picture without the result; it stays in the strip", "eye-off", needs="result"),
    # Window
    ActionSpec("full_screen", "&Full Screen", "arrangement.set_full_screen", "Window", "Use the whole screen", needs="", is_checkable=True),
    ActionSpec("hide_panels", "&Hide Panels", "arrangement.hide_panels", "Window", "Nothing but the picture", needs="", is_checkable=True),
    ActionSpec("next_area", "&Next Area", "arrangement.focus_next", "Window", "Move the keyboard to the next panel or the canvas", needs=""),
    ActionSpec("previous_area", "&Previous Area", "arrangement.focus_previous", "Window", "Move the keyboard to the panel before", needs=""),
    ActionSpec("reset_layout", "&Reset Layout", "arrangement.reset", "Window", "Put every panel back to its place", needs="", starts_group=True),
    # Help
    ActionSpec("shortcuts", "&Shortcut Sheet", "show_shortcuts", "Help", "All keys on one page", "keyboard", needs=""),
    ActionSpec("sample", "&Open a Sample", "files.open_sample", "Help", "A photo with a mask to try things on", "image", needs=""),
    ActionSpec("about", "&About Pentimento", "show_about", "Help", "Version and licence", "info", needs=""),
)  # fmt: skip
"""The table, in the order of the menus."""

BY_ID = {spec.id: spec for spec in ACTIONS}
