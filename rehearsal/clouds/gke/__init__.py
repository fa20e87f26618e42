"""The pretend cloud: a stand-in for the Pulumi plugin `pulumi-resource-gcp`, for what a stack on GKE makes and nothing else.

`provider` is where it starts, `lifecycle` what it does with a resource, `pool_machine` and `nodes` how node pools become
simulated nodes. Words are Google's own, as far as they are known. It is never the fallback for an official plugin: a rehearsal
that reached a real cloud would be none.
"""

import importlib.util

#: The SDK's package, an extra, in whose words a resource is checked.
SDK = "pulumi_gcp"


def installed() -> bool:
    """Whether the SDK is."""
    return importlib.util.find_spec(SDK) is not None
