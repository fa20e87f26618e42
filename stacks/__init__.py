"""What a stack file may say, the rules it must obey, and the one place that composes components."""
