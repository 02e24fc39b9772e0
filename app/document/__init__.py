"""The document: layers, strokes, results and their history. Plain Python and numpy; no Qt, no torch."""
