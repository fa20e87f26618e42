"""The official router charts, where they are at hand: kept by a set-up, or in a Go module that Go has or can download."""

import io
from pathlib import Path

import pytest

from hardware.bill import Chart
from rehearsal.errors import UnavailableError
from rehearsal.parts import charts, golang
from rehearsal.report import PlainReport
from tests.parity.helm import helm


def official(chart: Chart) -> Path:
    """The package; skips the test, with the reason, where it cannot be had without installing anything."""
    if (found := charts.kept(chart.ref, chart.version)) is not None:
        return found.path
    if golang.at_hand() is None:
        pytest.skip(f"{chart.ref} {chart.version} is not at hand, nor is Go (`make setup` gets them)")
    try:
        return charts.from_module(chart.ref, chart.version, helm(), PlainReport(io.StringIO())).path
    except UnavailableError as error:
        pytest.skip(f"{chart.ref} {chart.version} is not at hand: {error}")
