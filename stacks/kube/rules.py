"""Rules about a live cluster. They have no check, because findings come only when the cluster is asked."""

from stacks.findings import ERROR, Rule

CLUSTER = Rule(
    "CLUSTER", ERROR,
    "when Pulumi runs: no such context, an API server that cannot be reached, a cluster of another kind, or another"
    " stack's that does not go with the file",
    "nothing can be asked or made there",
    "docs/operate.md", firm=True,
)  # fmt: skip
EXISTS = Rule(
    "EXISTS", ERROR,
    "when Pulumi runs: a namespace, Helm release, CRD, ConfigMap or NodePool of that name is not this stack's; the "
    "message says how to import it",
    "this stack would change or delete what others own",
    "docs/operate.md", firm=True,
)  # fmt: skip
RULES = (CLUSTER, EXISTS)
