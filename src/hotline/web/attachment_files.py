"""An attachment's content as an answer, with headers that keep a file from doing anything in the browser."""

from flask import Response

from hotline.domain.media import Media

_NO_RIGHTS = "default-src 'none'; sandbox; frame-ancestors 'none'"


def file_response(number: str, attachment_id: int, media: Media, content: bytes) -> Response:
    """Return the file itself; documents are saved rather than opened, since they can carry programs."""
    response = Response(content, content_type=media.value)
    place = "attachment" if media is Media.PDF else "inline"
    response.headers["Content-Disposition"] = f'{place}; filename="{number}-{attachment_id}.{media.suffix}"'
    response.headers["Content-Security-Policy"] = _NO_RIGHTS
    return response
