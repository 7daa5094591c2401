"""All tables.  They are never called models: in this house a model is a classifier."""

from hotline.storage.tables.attachments import Attachment
from hotline.storage.tables.audit import AuditEntry
from hotline.storage.tables.base import Base
from hotline.storage.tables.counted import (
    BULLETIN,
    COUNTED,
    COUNTED_DAY,
    COUNTED_DAY_BY,
    HANDLED_DAY,
    UNCOUNTED,
    WAITED,
)
from hotline.storage.tables.desk import AnnouncedCall, Draft, ListImport, SavedView
from hotline.storage.tables.jobs import Job
from hotline.storage.tables.life import (
    Assignment,
    ClockNotice,
    CohandlingTask,
    Exclusion,
    Extension,
    Followup,
    KnowledgeEntry,
    PushDownBan,
    ReturnRequest,
    Suspension,
)
from hotline.storage.tables.people import Account, ApiToken, Department, District
from hotline.storage.tables.rules import CalendarEdition, CalendarWarning, LimitSetRow
from hotline.storage.tables.search import TicketWords
from hotline.storage.tables.tickets import (
    TICKET_NUMBER,
    Caller,
    IdempotencyKey,
    Reply,
    Ticket,
    TicketCohandler,
    TicketEvent,
)
from hotline.storage.tables.topics import HOT_TOPIC
from hotline.storage.tables.triage import CatalogueCohandler, CatalogueEntryRow, Label, Prediction
from hotline.storage.tables.vectors import KnowledgeVector, OpenVector, TicketVector

__all__ = [
    "BULLETIN",
    "COUNTED",
    "COUNTED_DAY",
    "COUNTED_DAY_BY",
    "HANDLED_DAY",
    "HOT_TOPIC",
    "TICKET_NUMBER",
    "UNCOUNTED",
    "WAITED",
    "Account",
    "AnnouncedCall",
    "ApiToken",
    "Assignment",
    "Attachment",
    "AuditEntry",
    "Base",
    "CalendarEdition",
    "CalendarWarning",
    "Caller",
    "CatalogueCohandler",
    "CatalogueEntryRow",
    "ClockNotice",
    "CohandlingTask",
    "Department",
    "District",
    "Draft",
    "Exclusion",
    "Extension",
    "Followup",
    "IdempotencyKey",
    "Job",
    "KnowledgeEntry",
    "KnowledgeVector",
    "Label",
    "LimitSetRow",
    "ListImport",
    "OpenVector",
    "Prediction",
    "PushDownBan",
    "Reply",
    "ReturnRequest",
    "SavedView",
    "Suspension",
    "Ticket",
    "TicketCohandler",
    "TicketEvent",
    "TicketVector",
    "TicketWords",
]
