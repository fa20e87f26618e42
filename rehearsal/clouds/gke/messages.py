"""Google's errors, in its own words. From answers in public reports, not from its documentation."""

from rehearsal.plugins.plugin import Failure


def not_found(path: str) -> Failure:
    """The resource does not exist."""
    return Failure(f"googleapi: Error 404: The resource '{path}' was not found, notFound")


def already_exists(path: str) -> Failure:
    """The name is taken."""
    return Failure(f"googleapi: Error 409: The resource '{path}' already exists, alreadyExists")


def in_use(what: str, path: str, by: str) -> Failure:
    """Another resource still uses it."""
    return Failure(
        f"googleapi: Error 400: The {what} resource '{path}' is already being used by '{by}', resourceInUseByAnotherResource"
    )


def no_account(email: str) -> Failure:
    """The service account does not exist."""
    return Failure(f'googleapi: Error 400: Service account "{email}" does not exist., badRequest')


def no_range(name: str, subnet: str) -> Failure:
    """The subnet has no secondary range of this name."""
    return Failure(
        f'googleapi: Error 400: Secondary range "{name}" does not exist in network resource "{subnet}"., badRequest'
    )


def api_disabled(title: str, service: str, project: str) -> Failure:
    """The API is not enabled in the project."""
    where = f"https://console.developers.google.com/apis/api/{service}/overview?project={project}"
    return Failure(
        f"googleapi: Error 403: {title} has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"{where} then retry., accessNotConfigured"
    )


def forbidden(permission: str, path: str) -> Failure:
    """The caller lacks a permission."""
    return Failure(f'googleapi: Error 403: Required "{permission}" permission(s) for "{path}"., forbidden')


def protected() -> Failure:
    """The provider's own deletion protection of a cluster."""
    return Failure(
        "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion."
    )


def no_quota(resource: str, wanted: int, project: str) -> Failure:
    """The project's quota is 0."""
    where = f"https://console.cloud.google.com/iam-admin/quotas?usage=USED&project={project}"
    return Failure(
        f"error creating NodePool: googleapi: Error 403: Insufficient regional quota to satisfy request: resource '{resource}': "
        f"request requires '{wanted}.0' and is short '{wanted}.0'. project has a quota of '0.0' with '0.0' available. View and "
        f"manage quotas at {where}., forbidden"
    )


def no_capacity(instances: str, wanted: int, project: str, zone: str) -> Failure:
    """The zone has no capacity left."""
    return Failure(
        "error waiting for creating GKE NodePool: Google Compute Engine: Not all instances running in IGM after 9m57s. Expected "
        f"{wanted}, running 0, transitioning {wanted}. Current errors: [ZONE_RESOURCE_POOL_EXHAUSTED]: Instance '{instances}' "
        f"creation failed: The zone 'projects/{project}/zones/{zone}' does not have enough resources available to fulfill the "
        "request. Try a different zone, or try again later."
    )


def no_reservation(reservation: str, pool: str, zone: str) -> Failure:
    """The pool's zone has no such reservation."""
    return Failure(
        f'error creating NodePool: googleapi: Error 404: Google Compute Engine: reservation "{reservation}" not found for node '
        f'pool "{pool}" at zone "{zone}"., notFound'
    )


def no_machine_type(machine_type: str, zone: str) -> Failure:
    """The machine type does not exist in the zone."""
    return Failure(
        f'googleapi: Error 400: Machine type with name "{machine_type}" does not exist in zone "{zone}"., badRequest'
    )
