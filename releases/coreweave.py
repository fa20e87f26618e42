"""What of CoreWeave's a stack is made with."""

#: The package of CoreWeave's SDK for Pulumi, an extra of this project.
SDK = "pulumi_coreweave"
