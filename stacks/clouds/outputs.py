"""Names of a stack's outputs that its own next run, or another stack, reads."""

#: How other stacks reach the cluster of a platform stack, and what its nodes are.
CLUSTER = "cluster"
#: The cluster as it was planned last: a fingerprint of its resources.
PLANNED = "plannedCluster"
#: How to go on, of a stack whose cluster a person has to name a context for.
NEXT = "next"
