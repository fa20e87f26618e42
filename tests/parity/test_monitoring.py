"""PodMonitors equal upstream's."""

from stacks.monitoring.monitors import pod_monitors
from tests.parity.reference import assert_upstreams, canonical, load

EXPECTED = "9ad0247f9b24802e2ce2fc14753ebbe21ab6867cc0777bd2ecbaed0450d5b5cd"


def test_pod_monitors_equal_upstream() -> None:
    ours = canonical(pod_monitors())
    assert_upstreams(ours, EXPECTED, lambda directory: canonical(load(directory / "monitoring-pd.yaml")))
