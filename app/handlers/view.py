"""The View menu: what the canvas shows and how."""

from typing import TYPE_CHECKING

from app.canvas.overlays import MaskLook
from app.keys import profile_in_force

if TYPE_CHECKING:
    from app.main_window import MainWindow

TURN_DEG = 15.0


class ViewHandlers:
    """Actions of the view of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._canvas = window.canvas
        self._canvas.handling.is_shift_sizing = self._is_shift_sizing

    def _is_shift_sizing(self) -> bool:
        """Whether the profile of keys has Shift and a drag change the brush size."""
        return "shift_drag_sizes" in profile_in_force(self._window.store.value.key_profile).gestures

    def zoom_in(self) -> None:
        """Go to the next larger zoom."""
        self._step(1)

    def zoom_out(self) -> None:
        """Go to the next smaller zoom."""
        self._step(-1)

    def fit(self) -> None:
        """Show all of it."""
        self._canvas.fit()

    def actual_size(self) -> None:
        """One pixel on one."""
        self._canvas.actual_size()

    def rotate_left(self) -> None:
        """Turn against the clock."""
        self._canvas.rotate_by(-TURN_DEG)

    def rotate_right(self) -> None:
        """Turn with the clock."""
        self._canvas.rotate_by(TURN_DEG)

    def mirror(self) -> None:
        """Swap left and right."""
        self._canvas.mirror()

    def reset_rotation(self) -> None:
        """Stand upright."""
        self._canvas.reset_rotation()

    def set_wipe(self, is_on: bool) -> None:
        """Show the line between before and after, or put it away."""
        self._canvas.set_wipe(0.5 if is_on else None)
        self._window.registry.set_checked("wipe", is_on)
        self._window.results.set_comparing(is_on)
        self.choose_compared()

    def choose_compared(self) -> None:
        """Have the line compare what is selected in the strip: two results, or the picture and the one that is shown."""
        other, words = self._window.results.compared
        if other is None or self._canvas.wipe is None:
            self._canvas.set_before(None)
        else:
            self._canvas.set_before(other, words)

    def set_mask_outline(self, is_on: bool) -> None:
        """Show the mask's outline alone, or its pattern too."""
        self._window.registry.set_checked("mask_outline", is_on)
        self.show_mask()

    def show_mask(self) -> None:
        """Draw the mask as the settings and the menu say, and as what it is for the panel in front."""
        window, settings = self._window, self._window.store.value
        retargeting = window.retargeting
        look = MaskLook(
            settings.mask_colour,
            settings.mask_pattern,
            settings.mask_opacity,
            # A mask that remaking does not look at is an outline and no more.
            not window.registry["mask_outline"].isChecked()
            and (not retargeting.is_on or retargeting.is_keeping),
            retargeting.mask_use,
        )
        if look != self._canvas.mask_look:
            self._canvas.set_mask_look(look)
        window.tool_options.set_mask_use(look.use)
        window.layers.set_mask_use(look.use)

    def show_edges(self, is_on: bool) -> None:
        """Show or hide the edges in the hole."""
        self._canvas.set_edges_visible(is_on)
        self._window.registry.set_checked("show_edges", is_on)
        self._window.inpaint.set_edges_shown(is_on)

    def _step(self, steps: int) -> None:
        self._canvas.zoom_step(steps)
