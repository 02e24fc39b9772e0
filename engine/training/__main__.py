"""``python -m engine.training FAMILY --data ... --out DIR``: training with plain lines on standard error.

Needs torch, lightning-fabric, numpy, pillow, safetensors and scikit-image alone, so that it also runs where the
rest of the program is not installed. `pentimento train` is the same with progress bars.
"""

import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # ``python -m`` put the current folder first on the path for modules, and a ``json.py`` may lie there.
    ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[:1] = [] if ROOT in sys.path[1:] else [ROOT]

from engine.training.command import main

if __name__ == "__main__":
    sys.exit(main())
