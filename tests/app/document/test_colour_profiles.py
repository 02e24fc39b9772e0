import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.document.colour_profiles import grey_profile, srgb_profile


@pytest.mark.parametrize(("profile", "space"), [(srgb_profile, "RGB"), (grey_profile, "GRAY")])
def test_colour_engines_read_the_profile(profile, space):
    read = ImageCms.ImageCmsProfile(io.BytesIO(profile())).profile
    assert read.xcolor_space.strip() == space
    assert profile() is profile()


def test_grey_means_about_what_it_means_in_srgb():
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    grey = ImageCms.ImageCmsProfile(io.BytesIO(grey_profile()))
    shown = ImageCms.profileToProfile(ramp, grey, ImageCms.createProfile("sRGB"), outputMode="RGB")
    difference = np.abs(np.asarray(shown).astype(int)[0, :, 0] - np.arange(256))
    assert difference[64:].max() <= 3  # sRGB is gamma 2.2 but for its dark end
