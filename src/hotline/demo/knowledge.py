"""The demo city's knowledge base, from ``knowledge.yaml``."""

from importlib.resources import files

import yaml
from sqlalchemy.orm import Session

from hotline.domain.people import SYSTEM
from hotline.services import knowledge
from hotline.services.context import Context


def build_knowledge(session: Session, context: Context) -> None:
    """Load the entries; their owners must be there."""
    written = yaml.safe_load(files("hotline.demo").joinpath("knowledge.yaml").read_text(encoding="utf-8"))
    texts = [
        knowledge.EntryText(
            question=entry["question"],
            answer=entry["answer"],
            matter=entry["matter"],
            source=entry["source"],
            owner=entry["owner"],
            valid_to=entry["valid_until"],
        )
        for entry in written["entries"]
    ]
    knowledge.load(session, context, texts, SYSTEM, dry_run=False)
