"""PodMonitors equal upstream's."""

from hardware.monitoring import pod_monitors
from tests.parity.reference import canonical, differences, digest, load, upstream

EXPECTED = "9ad0247f9b24802e2ce2fc14753ebbe21ab6867cc0777bd2ecbaed0450d5b5cd"


def test_pod_monitors_equal_upstream() -> None:
    ours = canonical(pod_monitors())
    directory = upstream()
    if directory is not None:
        theirs = canonical(load(directory / "monitoring-pd.yaml"))
        assert list(differences(ours, theirs)) == []
        assert digest(theirs) == EXPECTED, "upstream's file is not the one this digest was taken from"
    assert digest(ours) == EXPECTED
