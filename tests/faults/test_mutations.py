"""Every guard still stands where its mutation removes it; `make test-mutations` removes it."""

from __future__ import annotations

import pytest

from tests.faults.mutations import GUARDS, ROOT, changed
from tests.faults.test_rows import functions_of


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_stands_where_its_mutation_says_and_its_test_exists(name: str) -> None:
    mutation = GUARDS[name]
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    file, _, test = mutation.test.partition("::")

    assert changed(mutation, text) != text
    assert test.partition("[")[0] in functions_of(file)


def test_a_guard_that_moved_is_told() -> None:
    with pytest.raises(ValueError, match="stands there 0 times, wanted once"):
        changed(GUARDS["token"], "another text")
