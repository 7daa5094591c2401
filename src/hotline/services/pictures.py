"""Pictures without what a camera wrote into them: where they were taken, when, and with which device."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from hotline.domain.media import Media
from hotline.services.errors import InvalidInput

# A phone's camera makes up to 50 million pixels; what unpacks to far more is an attack.
MOST_PIXELS = 60_000_000
_FORMATS = {Media.JPEG: "JPEG", Media.PNG: "PNG", Media.WEBP: "WEBP"}
_QUALITY = 88


def cleaned(content: bytes, media: Media) -> bytes:
    """Return the picture written anew, upright, without any metadata.

    Raises ``InvalidInput`` when it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[media]]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise InvalidInput("file", "the picture has too many pixels")
            upright = ImageOps.exif_transpose(picture)
            plain = Image.frombytes(upright.mode, upright.size, upright.tobytes())
            if upright.mode == "P":
                plain.putpalette(upright.getpalette() or [])
            written = io.BytesIO()
            plain.save(written, _FORMATS[media], quality=_QUALITY)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidInput("file", "the picture cannot be read") from None
    return written.getvalue()
