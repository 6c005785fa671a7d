"""A logo as it was uploaded becomes a small PNG; nothing is ever served as it came."""

from __future__ import annotations

import hashlib
import warnings
from io import BytesIO
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 1024 * 1024
MAX_PIXELS_PER_SIDE = 4000
# What is kept: enough for a page, a mail and an invoice on a sharp screen.
LARGEST = (600, 200)
SMALLEST = (1, 1)
KEPT_BYTES = 300_000  # as Company.logo allows
FORMATS = {"PNG", "JPEG", "GIF", "WEBP"}


def read_logo(upload: IO[bytes]) -> bytes:
    """The picture in ``upload``, re-encoded as PNG of at most 600 x 200 pixels.

    Its kind is taken from its content, whatever its name says; what was hidden beside the
    picture is gone. Raises ValidationError that says what to do.
    """
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValidationError(
            _("The file is too large. Choose one of at most 1 MB."), code="too_large"
        )
    if _is_svg(content):
        raise ValidationError(
            _("SVG files are not accepted. Save the logo as PNG and choose that."),
            code="svg",
        )
    try:
        with warnings.catch_warnings():
            # Pillow only warns of pictures that unpack to far more than their file.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content)) as picture:
                _check(picture)
                return _encode(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise ValidationError(
            _("This is not a picture. Choose a PNG, JPEG, WebP or GIF file."),
            code="not_a_picture",
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValidationError(
            _("The picture is damaged. Save it anew as PNG and choose that."),
            code="damaged",
        ) from error


def digest_of(logo: bytes) -> str:
    """What names the logo in its address."""
    return hashlib.sha256(logo).hexdigest()[:16]


def _check(picture: Image.Image) -> None:
    """Look at what the header says, before anything is unpacked."""
    if picture.format not in FORMATS:
        raise UnidentifiedImageError
    if max(picture.size) > MAX_PIXELS_PER_SIDE:
        raise _too_many_pixels()
    if getattr(picture, "n_frames", 1) > 1:
        raise ValidationError(
            _("Moving pictures are not accepted. Choose one that stands still."),
            code="animated",
        )


def _encode(picture: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    image = upright.convert("RGBA" if has_alpha else "RGB")
    image.thumbnail(LARGEST, Image.Resampling.LANCZOS)
    png = _png(image)
    while len(png) > KEPT_BYTES and image.size > SMALLEST:
        image = image.reduce(2)  # noise hardly compresses: a photograph, not a logo
        png = _png(image)
    return png


def _png(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _is_svg(content: bytes) -> bool:
    beginning = content[:4096].lower()
    return b"<svg" in beginning or beginning.lstrip().startswith(b"<?xml")


def _too_many_pixels() -> ValidationError:
    return ValidationError(
        _("The picture has too many pixels. Choose one of at most 4000 x 4000."),
        code="too_many_pixels",
    )
