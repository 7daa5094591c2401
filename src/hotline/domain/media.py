"""What kind of file something is, told by its content and never by its name or by what the sender says."""

from enum import StrEnum


class Media(StrEnum):
    """The kinds of files that a ticket may carry (附件)."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"
    MP3 = "audio/mpeg"
    WAV = "audio/wav"
    M4A = "audio/mp4"

    @property
    def is_image(self) -> bool:
        """Whether it is a picture."""
        return self.value.startswith("image/")

    @property
    def suffix(self) -> str:
        """The ending of a file of this kind."""
        return _SUFFIXES[self]


_SUFFIXES = {
    Media.JPEG: "jpg",
    Media.PNG: "png",
    Media.WEBP: "webp",
    Media.PDF: "pdf",
    Media.MP3: "mp3",
    Media.WAV: "wav",
    Media.M4A: "m4a",
}

# The brands of MPEG-4 files that hold sound; those of films are not taken.
_SOUND_BRANDS = (b"M4A ", b"M4B ")
_MPEG_SYNC, _SYNC_MASK, _LAYER_MASK, _LAYER_3 = 0xFF, 0xE0, 0x06, 0x02


def recognise(content: bytes) -> Media | None:
    """Return the kind of file that ``content`` begins like, None for everything that is not taken."""
    if content.startswith(b"\xff\xd8\xff"):
        return Media.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Media.PNG
    if content.startswith(b"%PDF-"):
        return Media.PDF
    if content[:4] == b"RIFF" and content[8:12] in (b"WEBP", b"WAVE"):
        return Media.WEBP if content[8:12] == b"WEBP" else Media.WAV
    if content[4:8] == b"ftyp" and content[8:12] in _SOUND_BRANDS:
        return Media.M4A
    if content.startswith(b"ID3") or _is_mpeg_layer_3(content):
        return Media.MP3
    return None


def _is_mpeg_layer_3(content: bytes) -> bool:
    return (
        len(content) > 1
        and content[0] == _MPEG_SYNC
        and content[1] & _SYNC_MASK == _SYNC_MASK
        and content[1] & _LAYER_MASK == _LAYER_3
    )
