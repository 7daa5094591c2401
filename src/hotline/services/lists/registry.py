"""The lists that there are, by the name that addresses use."""

from hotline.services.lists.accounts import ACCOUNTS
from hotline.services.lists.calendar import CALENDAR
from hotline.services.lists.catalogue import CATALOGUE
from hotline.services.lists.departments import DEPARTMENTS
from hotline.services.lists.knowledge import KNOWLEDGE
from hotline.services.lists.limits import LIMITS
from hotline.services.lists.listing import ImportList

LISTS: dict[str, ImportList] = {
    each.name: each for each in (DEPARTMENTS, CATALOGUE, KNOWLEDGE, ACCOUNTS, LIMITS, CALENDAR)
}
