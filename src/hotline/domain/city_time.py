"""The city's time zone: instants are UTC inside and Asia/Shanghai at the edge."""

from zoneinfo import ZoneInfo

CITY_ZONE = ZoneInfo("Asia/Shanghai")
