"""Which page of a long list somebody looks at."""

from flask import request

PAGE = 50


def page_number() -> int:
    """Return ``?page=``, from 1; what cannot be a page is the first one."""
    given = request.args.get("page", "")
    return max(int(given), 1) if given.isdecimal() and len(given) < 7 else 1


def last_page(total: int) -> int:
    """Return the number of the last page of ``total`` lines."""
    return max((total + PAGE - 1) // PAGE, 1)
