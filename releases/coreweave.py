"""CoreWeave's parts of a stack."""

#: The Python package of CoreWeave's Pulumi SDK, an extra of this project.
SDK = "pulumi_coreweave"
