"""Names of person fields. They are dropped wherever they appear; the event is kept and the drop is counted.

The event models are an allow-list, so no person field could survive anyway. This list exists to *count*
what producers should not have sent, by field name, and to cut such fields out of the bytes of a reject.
"""

from __future__ import annotations

from typing import Any, Final

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
    holder: list[object] = [value]
    boxes: list[Any] = [holder]
    while boxes:  # the input decides the depth, not our stack
        box = boxes.pop()
        for key, item in list(box.items() if isinstance(box, dict) else enumerate(box)):
            copy: object
            if isinstance(item, dict):
                copy = {name: inner for name, inner in item.items() if name.lower() not in PERSON_FIELDS}
            elif isinstance(item, list):
                copy = list(item)
            else:
                continue
            box[key] = copy
            boxes.append(copy)
    return holder[0]


def person_fields_in(value: object) -> list[str]:
    """Every person field name that occurs in a JSON value, once per occurrence."""
    found: list[str] = []
    boxes = [value]
    while boxes:
        box = boxes.pop()
        if isinstance(box, dict):
            found.extend(name for key in box if (name := key.lower()) in PERSON_FIELDS)
            boxes.extend(box.values())
        elif isinstance(box, list):
            boxes.extend(box)
    return found
