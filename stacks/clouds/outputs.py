"""Names of the outputs that a stack's own next run, or another stack, reads."""

#: The connection to a platform stack's cluster and a description of its nodes, for other stacks.
CLUSTER = "cluster"
#: The last plan of the cluster: a fingerprint of its resources.
PLANNED = "plannedCluster"
#: The next step, for a stack whose user has to name the context of the new cluster.
NEXT = "next"
