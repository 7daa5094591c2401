"""Conflict of interest (回避): find out that a complaint is about a department, so that it does not go there alone."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.ticket import ComplaintType
from hotline.storage.tables import Department, Ticket

# What is said of a department's own conduct, not of the matter that it looks after.
_CONDUCT = (
    "工作人员|办事员|窗口|执法人员|执法队|领导|局长|科长|主任|经办人|不作为|乱作为|慢作为|推诿|踢皮球|敷衍|态度|"
    "吃拿卡要|索要|收受|受贿|好处费|包庇|偏袒|粗暴|钓鱼执法|乱罚款|打人|骂人|泄露|虚假回复|假办结|没人接|不接电话"
)
# The city's name before that of a bureau: 澜州市 of 澜州市城市管理局, but nothing of 城东区城市管理局.
_CITY = re.compile(r"^[^市区县]{2,4}市(?=.{3})")
# How far from the name of the department such a word may stand, in characters.
_REACH = 18


def find_accused(session: Session, ticket: Ticket) -> int | None:
    """Return the department whose conduct a complaint or report is about, None when the words name none.

    A ticket whose type nobody has said yet may be either.  Where the words name several, the one with the longest name
    counts: 城东区城市管理局 before 城市管理局.
    """
    if ticket.type not in (None, ComplaintType.COMPLAINT, ComplaintType.REPORT):
        return None
    text = f"{ticket.title}\n{ticket.content}"
    if re.search(_CONDUCT, text) is None:
        return None
    found = [(len(name), department_id) for department_id, name in _names(session) if _accuses(text, name)]
    return max(found)[1] if found else None


def _names(session: Session) -> list[tuple[int, str]]:
    """Return the departments by name, and city bureaus also without the city's own name."""
    rows = session.execute(select(Department.id, Department.name).where(Department.kind != "hotline_centre")).all()
    return [(row.id, name) for row in rows for name in {row.name, _CITY.sub("", row.name)}]


def _accuses(text: str, name: str) -> bool:
    """Tell whether a word of conduct stands shortly after the department's name, or right before it."""
    quoted = re.escape(name)
    return re.search(f"{quoted}.{{0,{_REACH}}}?(?:{_CONDUCT})|(?:{_CONDUCT}).{{0,4}}{quoted}", text) is not None
