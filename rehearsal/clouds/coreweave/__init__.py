"""The pretend cloud of CoreWeave: a stand-in for the Pulumi plugin `pulumi-resource-coreweave`, for a VPC and a CKS cluster.

`provider` is the plugin, `lifecycle` creates, changes and deletes its resources. Node pools are objects in the cluster, with a
controller of the fleet (`rehearsal.fleet.node_pools`). A rehearsal uses the pretend cloud also if the official plugin is
available, because it must not reach a real cloud.
"""
