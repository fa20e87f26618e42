"""The eight gateway recipes equal upstream's, object for object."""

import pytest

from releases.gateways import RECIPES, gateway_objects
from tests.parity.reference import assert_upstreams, canonical, load

DIGESTS = {
    "base": "e8c895c115406b3c21844b905c4d220f013e9096ce24a04e6fc19901617a7e20",
    "gke-l7-regional-external-managed": "791ecd90b13e482fae561e859d1ab04c656fa68fed6217e15975aec793000b2d",
    "gke-l7-rilb": "630fe6460efd26d605e7ec2a3170e9789b7edad88de47364af4ec47cb2a7f58e",
    "istio": "c488a8b3213d87e60349f000d9c8bccb9bd448c6035d8632f73502ff46daa656",
    "agentgateway": "9eda84b60248b77ab9dd5298015b2d52ffef0280b01c635fa87a960123fc0c8c",
    "agentgateway-openshift": "af9938bc701ca196fe8f5da715b7e065aef5c43cd5fe1ce69892e35675dba244",
    "kgateway": "9eda84b60248b77ab9dd5298015b2d52ffef0280b01c635fa87a960123fc0c8c",
    "kgateway-openshift": "af9938bc701ca196fe8f5da715b7e065aef5c43cd5fe1ce69892e35675dba244",
}


@pytest.mark.parametrize("key", RECIPES)
def test_recipe_equals_upstream(key: str) -> None:
    ours = canonical(gateway_objects(RECIPES[key]))
    assert_upstreams(ours, DIGESTS[key], lambda directory: canonical(load(directory / f"gateway_{key}.yaml")))
