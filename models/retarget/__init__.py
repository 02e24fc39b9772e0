"""Retargeting: one picture, learned by heart, is remade at another size or in another shape."""
