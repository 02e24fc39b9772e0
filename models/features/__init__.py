"""Networks trained elsewhere whose answers say how alike two pictures are."""

from models.features.embedding import FeatureNetwork
from models.features.layouts import features_from_state
from models.features.squeezenet import SqueezeNetFeatures
from models.features.vgg19 import Vgg19Features

__all__ = ["FeatureNetwork", "SqueezeNetFeatures", "Vgg19Features", "features_from_state"]
