"""``python -m engine.training FAMILY --data ... --out DIR``: training with plain lines on standard error.

Needs torch, lightning-fabric, numpy, pillow, safetensors and scikit-image alone, so that it also runs where the
rest of the program is not installed. `pentimento train` is the same with progress bars.
"""

import sys

from engine.training.command import main

if __name__ == "__main__":
    sys.exit(main())
