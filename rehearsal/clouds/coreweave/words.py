"""What CoreWeave's provider says when its API refuses, as sentences: a code of Connect's, and why. The reasons are our words."""

from rehearsal.plugins.plugin import Failure


def not_found(what: str, id_: str) -> Failure:
    """What something refers to, or is about, is not there."""
    return Failure(f"not_found: {what} {id_} does not exist")


def already_exists(what: str, name: str) -> Failure:
    """The name is taken."""
    return Failure(f"already_exists: {what} {name} exists in this organization")


def in_use(what: str, name: str, by: str) -> Failure:
    """Something that refers to it is still there."""
    return Failure(f"failed_precondition: {what} {name} is used by {by}")


def no_upgrade(old: str, new: str) -> Failure:
    """Versions come one after the other, and never go back."""
    return Failure(f"invalid_argument: {old} cannot become {new}: a cluster is upgraded to the next minor version only")


def not_offered(version: str) -> Failure:
    """Old versions are kept for clusters that have them."""
    return Failure(f"invalid_argument: version {version} is not available for new clusters")
