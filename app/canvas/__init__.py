"""The canvas: the view of a document, its transform, its overlays and its tools."""
