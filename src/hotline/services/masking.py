"""Who sees what of a citizen's words: everybody sees them masked, and only a reveal shows them as they were written.

A department sees nothing of the caller of a confidential ticket (举报人保密): neither name nor phone, and in free text
not even surname or last digits, since these are enough to find somebody in a village.
"""

from dataclasses import dataclass

from hotline.domain.masking import (
    Known,
    find_personal,
    hide_text,
    mask_address,
    mask_name,
    mask_phone,
    mask_text,
    names_in,
)
from hotline.domain.people import DEPARTMENT_STAFF, SYSTEM, Actor
from hotline.domain.retention import CLOSED_OUT
from hotline.services.context import Context
from hotline.storage.tables import Ticket


@dataclass(frozen=True, slots=True)
class Mask:
    """How one ticket is shown to one actor.  ``hidden`` stands for the caller of a confidential ticket."""

    known: Known
    hidden: bool

    @property
    def name(self) -> str | None:
        """The caller's name as it is shown: 张**."""
        return mask_name(self.known.name) if self.known.name and not self.hidden else None

    @property
    def phone(self) -> str | None:
        """The caller's phone as it is shown: 138****5678."""
        return mask_phone(self.known.phone) if self.known.phone and not self.hidden else None

    def text(self, written: str) -> str:
        """Return words that somebody wrote, without personal data."""
        if written == CLOSED_OUT:
            return written
        return hide_text(written, self.known) if self.hidden else mask_text(written, self.known)

    def maybe(self, written: str | None) -> str | None:
        """The same for what may not have been written; nothing stays nothing."""
        return self.text(written) if written else None

    def place(self, written: str | None) -> str | None:
        """Return an address down to the community (金茂小区**栋), as lists and exports show it."""
        return mask_address(self.text(written)) if written and written != CLOSED_OUT else written

    def words(self, found: list[str], *texts: str) -> list[str]:
        """Return those of the ``found`` words of ``texts`` that are no part of anything personal in them."""
        pieces = [text[span.start : span.end] for text in texts for span in find_personal(text, self.known)]
        return [word for word in found if not any(word in piece or piece in word for piece in pieces)]


def mask_for(ticket: Ticket, context: Context, actor: Actor) -> Mask:
    """Return how ``ticket`` is shown to ``actor``."""
    caller, vault = ticket.caller, context.vault
    # Whoever introduces themselves in the request is also called by that name in replies and comments.
    names = names_in(f"{ticket.title}\n{ticket.content}")
    name, phone = (vault.open(caller.name_sealed), vault.open(caller.phone_sealed)) if caller else (None, None)
    return Mask(Known(name, phone, names), hidden=ticket.confidential and actor.role in DEPARTMENT_STAFF)


def masked(ticket: Ticket, context: Context, written: str) -> str:
    """Return what people write to one another about a ticket as it is kept: masked like an event's reason."""
    return masked_reason(ticket, context, written) or written


def hidden_mask(ticket: Ticket, context: Context) -> Mask:
    """Return how ``ticket`` is shown to those who see least of it: a department, whoever looks."""
    return Mask(mask_for(ticket, context, SYSTEM).known, hidden=ticket.confidential)


def masked_reason(ticket: Ticket, context: Context, reason: str | None) -> str | None:
    """Return a reason as an event keeps it: masked as for a department, since events are for ever and shown to all."""
    return None if reason is None else hidden_mask(ticket, context).text(reason)
