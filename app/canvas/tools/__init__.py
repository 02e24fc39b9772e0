"""The tools of the canvas: one file each, entered by `registry.make_tools`."""
