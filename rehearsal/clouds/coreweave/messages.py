"""Errors of CoreWeave's provider when its API refuses: a code of Connect and a reason. The reasons are in our words."""

from rehearsal.plugins.plugin import Failure


def not_found(what: str, id_: str) -> Failure:
    """The resource does not exist."""
    return Failure(f"not_found: {what} {id_} does not exist")


def already_exists(what: str, name: str) -> Failure:
    """The name is taken."""
    return Failure(f"already_exists: {what} {name} exists in this organization")


def in_use(what: str, name: str, by: str) -> Failure:
    """Another resource still uses it."""
    return Failure(f"failed_precondition: {what} {name} is used by {by}")


def no_upgrade(old: str, new: str) -> Failure:
    """The version is not the next minor version."""
    return Failure(f"invalid_argument: {old} cannot become {new}: a cluster is upgraded to the next minor version only")


def not_offered(version: str) -> Failure:
    """The version is too old for a new cluster."""
    return Failure(f"invalid_argument: version {version} is not available for new clusters")
