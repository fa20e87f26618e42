"""The stand-in for the Pulumi plugin `pulumi-resource-kubernetes`; `provider` is its entry point. Frozen."""
