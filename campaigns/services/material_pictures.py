"""Pictures of materials: whatever was uploaded is drawn anew, so that nothing but what one sees is kept of it."""

import io
from typing import IO, Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps, UnidentifiedImageError

from campaigns.contracts.materials import StoredPicture
from campaigns.errors import MaterialPictureUnfit
from core.codes import new_public_ids

MOST_BYTES: Final = 10 * 1024 * 1024
# More pixels than any camera of a phone has; a file of a few kilobytes can claim a billion.
_MOST_PIXELS: Final = 60_000_000
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_WIDTH: Final = 1_280  # twice what a phone shows
_HEIGHT: Final = 8_000  # a long poster
_THUMB: Final = 400
_QUALITY: Final = 86


def store_picture(*, stream: IO[bytes]) -> StoredPicture:
    """The picture lies in the storage as JPEG, upright, without anything the camera wrote into it, and a small one beside
    it. Told by its content, not by its name. Raises MaterialPictureUnfit."""
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise MaterialPictureUnfit(field="pictures")
    picture = _read(data)
    if picture.width > _WIDTH:
        picture = picture.resize(
            (_WIDTH, max(1, round(picture.height * _WIDTH / picture.width))), Image.Resampling.LANCZOS
        )
    if picture.height > _HEIGHT:
        raise MaterialPictureUnfit(field="pictures")
    thumb = ImageOps.fit(picture, (_THUMB, _THUMB), Image.Resampling.LANCZOS, centering=(0.5, 0.35))
    name, thumb_name = (f"materials/{part}.jpg" for part in new_public_ids(2))
    return StoredPicture(
        default_storage.save(name, _jpeg(picture)),
        default_storage.save(thumb_name, _jpeg(thumb)),
        picture.width,
        picture.height,
    )


def drop_picture_files(*, names: list[str]) -> None:
    """The files are gone; one that is not there is no error."""
    for name in names:
        default_storage.delete(name)


def _read(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise MaterialPictureUnfit(field="pictures")
            upright = ImageOps.exif_transpose(opened)
            whole = (
                upright.convert("RGBA")
                if upright.mode in ("P", "LA", "PA", "RGBA")
                else upright.convert("RGB")
            )
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaterialPictureUnfit(field="pictures") from error
    if whole.mode == "RGB":
        return whole
    ground = Image.new("RGB", whole.size, (255, 255, 255))
    ground.paste(whole, mask=whole.getchannel("A"))
    return ground


def _jpeg(picture: Image.Image) -> ContentFile[bytes]:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return ContentFile(out.getvalue())
