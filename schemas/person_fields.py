"""Names of person fields. They are dropped wherever they appear; the event is kept and the drop is counted.

The event models are an allow-list, so no person field could survive anyway. This list exists to *count*
what producers should not have sent, by field name, and to cut such fields out of the bytes of a reject.
"""

from __future__ import annotations

from typing import Final

PERSON_FIELDS: Final[frozenset[str]] = frozenset({
    "name", "full_name", "first_name", "last_name", "person", "person_name", "reporter", "reporter_name", "caller",
    "caller_name", "contact", "contact_name", "victim", "victim_name", "suspect", "suspect_name", "phone",
    "phone_number", "reporter_phone", "caller_phone", "mobile", "tel", "email", "id_number", "id_no", "id_card",
    "passport", "plate", "plate_number", "license_plate", "face", "face_id", "face_image", "photo", "ethnicity",
    "ethnic_group", "race", "religion", "belief", "nationality", "political_status", "gender", "sex", "age",
    "birth_date", "date_of_birth", "home_address", "姓名", "电话", "手机号", "身份证号", "车牌号", "民族", "宗教", "国籍",
})  # fmt: skip


def without_person_fields(value: object) -> object:
    """The same JSON value with every person field cut out, at any depth."""
    if isinstance(value, dict):
        return {key: without_person_fields(item) for key, item in value.items() if key.lower() not in PERSON_FIELDS}
    if isinstance(value, list):
        return [without_person_fields(item) for item in value]
    return value


def person_fields_in(value: object) -> list[str]:
    """Every person field name that occurs in a JSON value, once per occurrence."""
    if isinstance(value, dict):
        here = [key.lower() for key in value if key.lower() in PERSON_FIELDS]
        return here + [name for item in value.values() for name in person_fields_in(item)]
    if isinstance(value, list):
        return [name for item in value for name in person_fields_in(item)]
    return []
