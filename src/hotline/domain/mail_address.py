"""Mail addresses of colleagues, as far as a hotline has to tell a right one from a slip of the keyboard."""

import re

# One of each kind of part, no quoting, no comments: what people have, and nothing that could end a header's line.
_FORM = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")


def is_mail_address(text: str) -> bool:
    """Tell whether ``text`` looks like one address."""
    return len(text) <= 254 and _FORM.fullmatch(text) is not None and ".." not in text
