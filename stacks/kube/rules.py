"""The rule of a cluster that cannot be asked, or that is not the one the stack file means. Whatever asks it reports it too."""

from stacks.findings import ERROR, Rule
from stacks.kube.live import live_check

CLUSTER = Rule(
    "CLUSTER", ERROR,
    "when Pulumi runs and in `leftovers`: no such context, an API server that cannot be reached, a cluster of another kind; in "
    "`check` too: a machine, nodes or a Gateway that the platform stack does not have",
    "nothing can be asked or made there",
    "docs/operate.md", check=live_check(lambda facts, live: facts.spec.cluster.cloud.without_nodes(facts, live)),
    firm=True, when_run=True,
)  # fmt: skip
