"""The demonstration finds what it says it finds, and the page says what was found."""

from __future__ import annotations

import pytest

from layergraph.tools.fault_finding import CASES, DOCS, Case, examined


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fault_is_found_and_the_page_says_so(case: Case) -> None:
    report = examined(case)
    assert report.verdict == "fault"
    assert [row.key for row in report.faults] == [case.node]
    page = (DOCS / "fault-finding.md").read_text(encoding="utf-8")
    said = report.conclusion().splitlines()
    # Figures may round otherwise on another machine.
    assert said[0] in page
    assert f"(images/{case.name}.png)" in page
    assert (DOCS / "images" / f"{case.name}.png").stat().st_size < 60_000
