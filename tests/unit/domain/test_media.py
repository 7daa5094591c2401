"""A file's kind is told by its content."""

import pytest

from hotline.domain.media import Media, recognise

KNOWN = {
    b"\xff\xd8\xff\xe0\x00\x10JFIF": Media.JPEG,
    b"\x89PNG\r\n\x1a\n\x00\x00": Media.PNG,
    b"RIFF\x10\x00\x00\x00WEBPVP8 ": Media.WEBP,
    b"RIFF\x10\x00\x00\x00WAVEfmt ": Media.WAV,
    b"%PDF-1.7\n": Media.PDF,
    b"ID3\x04\x00": Media.MP3,
    b"\xff\xfb\x90\x64": Media.MP3,
    b"\x00\x00\x00\x20ftypM4A \x00": Media.M4A,
}


@pytest.mark.parametrize(("content", "media"), KNOWN.items())
def test_what_is_taken_is_recognised(content: bytes, media: Media) -> None:
    assert recognise(content) is media


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html><script>", b"MZ\x90\x00", b"GIF89a"),
        *(b"RIFF\x10\x00\x00\x00AVI LIST", b"\x00\x00\x00\x20ftypisom", b"PK\x03\x04", b" %PDF-1.7", b"\xff\xff\xff"),
    ],
)
def test_everything_else_is_not(content: bytes) -> None:
    assert recognise(content) is None
