"""Rules over the value of one argument, as rows: allowed words, numbers, forms, times and counts.

For the arguments that a stack on GKE sets. `SCHEMA` has the validations of the Go schemas of terraform-provider-google-beta
7.45.0 (ValidateFunc and MaxItems, found by calling them with wrong values); the plugin refuses with these messages before it
asks Google. `DOCUMENTED` has values that only Google's API refuses, after minutes: from the descriptions of those schemas and
the API's reference.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Network, ip_network
from typing import Any

from rehearsal.plugins.values import is_unknown
from stacks.clouds.resource import Arguments

#: Returns the provider's message for a wrong value at a path; "" for a valid one.
Check = Callable[[str, Any], str]


def _one_of(words: str) -> Check:
    known = words.split()
    listed = " ".join(f'"{word}"' for word in known)
    return lambda path, value: "" if value in known else f"expected {path} to be one of [{listed}], got {value}"


def _between(least: int, most: int | None = None) -> Check:
    bounds = f"at least ({least})" if most is None else f"in the range ({least} - {most})"

    def check(path: str, value: Any) -> str:
        fits = least <= value and (most is None or value <= most)
        return "" if fits else f"expected {path} to be {bounds}, got {value}"

    return check


def _form(pattern: str, wanted: str = "") -> Check:
    said = wanted or f"doesn't match regexp {pattern}"
    return lambda path, value: "" if re.fullmatch(pattern, value) else f'"{path}" ("{value}") {said}'


def _length(least: int, most: int) -> Check:
    said = f"must be between {least} and {most} characters long"
    return lambda path, value: "" if least <= len(value) <= most else f'"{path}" ("{value}") {said}'


def _at_most(items: int) -> Check:
    def check(path: str, value: Any) -> str:
        if not isinstance(value, list) or len(value) <= items:
            return ""
        return f"Too many list items: Attribute {path} supports {items} item maximum, but config has {len(value)} declared."

    return check


def _each(check: Check) -> Check:
    return lambda path, value: "; ".join(filter(None, (check(path, one) for one in value if not is_unknown(one))))


def _map(key: str, value: str, wanted: str) -> Check:
    """Returns a rule for a map whose keys and values have a form; values that are not known yet are not judged."""

    def check(path: str, given: Any) -> str:
        wrong = [
            f"{name}={said}"
            for name, said in given.items()
            if not is_unknown(said) and not (re.fullmatch(key, name) and re.fullmatch(value, str(said)))
        ]
        return f"{path} {wanted}, got {', '.join(wrong)}" if wrong else ""

    return check


def _time(path: str, value: str) -> str:
    if not re.fullmatch(r".{2}:.{2}", value):
        return f'"{path}" ("{value}") must be in the format HH:mm (RFC3339)'
    if not re.fullmatch(r"[01]\d|2[0-3]", value[:2]):
        return f'"{path}" ("{value}") does not contain a valid hour (00-23)'
    return (
        "" if re.fullmatch(r"[0-5]\d", value[3:]) else f'"{path}" ("{value}") does not contain a valid minute (00-59)'
    )


def _date(path: str, value: str) -> str:
    """Checks for RFC 3339 as Go's `time.Parse` accepts it: with seconds and a zone."""
    whole = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value)
    try:
        if whole and datetime.fromisoformat(value):
            return ""
    except ValueError:
        pass
    return f'"{path}": parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse it'


def _range(path: str, value: str) -> str:
    try:
        ip_network(value)
    except ValueError as error:
        return f'"{path}" is not a valid IP CIDR range: {error}'
    return ""


def _power_of_two(least: int, most: int) -> Check:
    def check(path: str, value: Any) -> str:
        fits = least <= value <= most and value & (value - 1) == 0
        return "" if fits else f"{path} must be a power of two from {least} to {most}, got {value}"

    return check


#: Kubernetes' form of a label's key and value (docs of labels, syntax and character set).
_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL_KEY, _LABEL_VALUE = rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_LABEL_NAME}", rf"({_LABEL_NAME})?"
#: Kernel parameters that GKE accepts (reference of its API, LinuxNodeConfig).
_SYSCTLS = (
    r"net\.core\.(busy_poll|busy_read|netdev_max_backlog|[rw]mem_(max|default)|optmem_max|somaxconn)"
    r"|net\.ipv4\.(neigh\.default\.gc_thresh[123]|tcp_([rw]mem|tw_reuse|mtu_probing|max_orphans|max_tw_buckets|syn_retries|ecn"
    r"|congestion_control))"
    r"|net\.netfilter\.nf_conntrack_(max|buckets|acct|tcp_timeout_(close_wait|time_wait|established))"
    r"|kernel\.(keys\.max(keys|bytes)|shm(mni|max|all)|core_pattern|perf_event_paranoid|sched_rt_runtime_us|softlockup_panic"
    r"|yama\.ptrace_scope|kptr_restrict|dmesg_restrict|sysrq)"
    r"|fs\.(aio-max-nr|file-max|inotify\.max_user_(instances|watches)|nr_open)"
    r"|vm\.(dirty_((background_)?(ratio|bytes)|expire_centisecs|writeback_centisecs)|max_map_count|overcommit_(memory|ratio)"
    r"|vfs_cache_pressure|swappiness|watermark_scale_factor|min_free_kbytes)"
)
_COMPUTE_NAME = _form(r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)")
_OR_MORE = _between(0)
_MAINTENANCE = "maintenance_policy"
_EXCLUSIONS = f"{_MAINTENANCE}.maintenance_exclusions"
_GPUS = "node_config.guest_accelerators"
SCHEMA: Mapping[str, Mapping[str, Check]] = {
    "compute.Network": {"name": _COMPUTE_NAME, "routing_mode": _one_of("REGIONAL GLOBAL")},
    "compute.Subnetwork": {
        "name": _COMPUTE_NAME,
        "role": _one_of("ACTIVE BACKUP"),
        "secondary_ip_ranges.range_name": _COMPUTE_NAME,
    },
    "compute.Firewall": {
        "name": _COMPUTE_NAME,
        "direction": _one_of("INGRESS EGRESS"),
        "priority": _between(0, 65_535),
    },
    "compute.Router": {"name": _COMPUTE_NAME},
    "compute.RouterNat": {
        "name": lambda path, value: _length(2, 63)(path, value) or _COMPUTE_NAME(path, value),
        "nat_ip_allocate_option": _one_of("MANUAL_ONLY AUTO_ONLY"),
        "source_subnetwork_ip_ranges_to_nat": _one_of(
            "ALL_SUBNETWORKS_ALL_IP_RANGES ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES LIST_OF_SUBNETWORKS"
        ),
    },
    "container.Cluster": {
        "name": _form("[a-z]([-a-z0-9]{0,38}[a-z0-9])?"),
        "networking_mode": _one_of("VPC_NATIVE ROUTES"),
        "datapath_provider": _one_of("DATAPATH_PROVIDER_UNSPECIFIED LEGACY_DATAPATH ADVANCED_DATAPATH"),
        "release_channel.channel": _one_of("UNSPECIFIED RAPID REGULAR STABLE EXTENDED"),
        "gateway_api_config.channel": _one_of("CHANNEL_DISABLED CHANNEL_EXPERIMENTAL CHANNEL_STANDARD"),
        "logging_config.enable_components": _each(
            _one_of(
                "SYSTEM_COMPONENTS APISERVER CONTROLLER_MANAGER KCP_CONNECTION KCP_SSHD KCP_HPA KCP_VPA SCHEDULER WORKLOADS"
            )
        ),
        "monitoring_config.managed_prometheus.auto_monitoring_config.scope": _one_of("ALL NONE"),
        f"{_MAINTENANCE}.daily_maintenance_window.start_time": _time,
        f"{_MAINTENANCE}.recurring_window.start_time": _date,
        f"{_MAINTENANCE}.recurring_window.end_time": _date,
        _EXCLUSIONS: _at_most(20),
        f"{_EXCLUSIONS}.start_time": _date,
        f"{_EXCLUSIONS}.end_time": _date,
        f"{_EXCLUSIONS}.exclusion_options.scope": _one_of("NO_UPGRADES NO_MINOR_UPGRADES NO_MINOR_OR_NODE_UPGRADES"),
        f"{_EXCLUSIONS}.exclusion_options.end_time_behavior": _one_of("UNTIL_END_OF_SUPPORT"),
    },
    "container.NodePool": {
        "node_count": _OR_MORE,
        **{f"autoscaling.{name}": _OR_MORE for name in ("min_node_count", "max_node_count")},
        **{f"autoscaling.total_{name}": _OR_MORE for name in ("min_node_count", "max_node_count")},
        "autoscaling.location_policy": _one_of("BALANCED ANY"),
        "upgrade_settings.strategy": _one_of("SURGE BLUE_GREEN"),
        **{f"upgrade_settings.{name}": _OR_MORE for name in ("max_surge", "max_unavailable")},
        "node_config.boot_disk.size_gb": _between(10),
        "node_config.ephemeral_storage_local_ssd_config.local_ssd_count": _OR_MORE,
        f"{_GPUS}.gpu_driver_installation_config.gpu_driver_version": _one_of(
            "GPU_DRIVER_VERSION_UNSPECIFIED INSTALLATION_DISABLED DEFAULT LATEST"
        ),
        "node_config.reservation_affinity.consume_reservation_type": _one_of(
            "UNSPECIFIED NO_RESERVATION ANY_RESERVATION SPECIFIC_RESERVATION ANY_RESERVATION_THEN_FAIL"
        ),
        "node_config.taints.effect": _one_of("NO_SCHEDULE PREFER_NO_SCHEDULE NO_EXECUTE"),
        "node_config.workload_metadata_config.mode": _one_of("MODE_UNSPECIFIED GCE_METADATA GKE_METADATA"),
    },
    "projects.Service": {
        "service": _form(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "is no domain like serviceusage.googleapis.com"),
    },
    "projects.IAMMember": {
        "member": _form(
            r"(?!deleted).*(.+:.+|projectOwners|projectReaders|projectWriters|allUsers|allAuthenticatedUsers).*",
            "is no member: write `serviceAccount:ADDRESS`, or another kind of IAM's",
        ),
    },
    "serviceaccount.Account": {
        "account_id": lambda path, value: (
            _length(6, 30)(path, value) or _form("[a-z]([-a-z0-9]*[a-z0-9])?")(path, value)
        ),
        "description": _length(0, 256),
    },
}
DOCUMENTED: Mapping[str, Mapping[str, Check]] = {
    "compute.Network": {"mtu": _between(1300, 8896)},  # description of the argument
    "compute.Firewall": {
        # Reference of firewalls.insert: words it knows, or the number of a protocol.
        "allows.protocol": _form(r"(?i)all|tcp|udp|icmp|esp|ah|sctp|ipip|\d{1,3}", "is no protocol"),
        "source_ranges": _each(_range),
    },
    # Page compute_router_nat, and the reference of routers: 65,536 is the most.
    "compute.RouterNat": {"min_ports_per_vm": _power_of_two(32, 32_768), "max_ports_per_vm": _power_of_two(64, 65_536)},
    "container.Cluster": {
        # Docs of labels of Google Cloud's resources, requirements.
        "resource_labels": _map(
            r"[a-z][a-z0-9_-]{0,62}", r"[a-z0-9_-]{0,63}", "takes lower-case keys and values of 63 characters"
        ),
        # Page container_cluster.
        "monitoring_config.enable_components": _each(
            _one_of(
                "SYSTEM_COMPONENTS APISERVER SCHEDULER CONTROLLER_MANAGER STORAGE HPA POD DAEMONSET DEPLOYMENT STATEFULSET"
                " KUBELET CADVISOR DCGM JOBSET WORKLOADS"
            )
        ),
        "workload_identity_config.workload_pool": _form(r"[^/]+\.svc\.id\.goog", "must be PROJECT.svc.id.goog"),
    },
    "container.NodePool": {
        "name": _form("[a-z]([-a-z0-9]{0,38}[a-z0-9])?"),  # reference of nodePools.create
        "node_config.labels": _map(_LABEL_KEY, _LABEL_VALUE, "takes labels of Kubernetes"),
        "node_config.linux_node_config.sysctls": _map(_SYSCTLS, ".*", "takes kernel parameters that GKE supports"),
        # JSON form of google.protobuf.Duration.
        "node_config.max_run_duration": _form(r"\d+(\.\d{1,9})?s", 'is no duration in seconds such as "604800s"'),
    },
}


def value_problems(kind: str, args: Arguments) -> Iterator[tuple[str, str]]:
    """Yields the path in the SDK's spelling and the provider's message, for every known value that is refused."""
    for table in (SCHEMA, DOCUMENTED):
        for path, check in table.get(kind, {}).items():
            for place, value in _values(args, path.split("."), ""):
                said = check(place, value)
                if said:
                    yield place, said


def range_problems(kind: str, args: Arguments) -> Iterator[tuple[str, str]]:
    """Yields invalid address ranges of a subnet, over which no law can be judged."""
    if kind != "compute.Subnetwork":
        return
    secondary: Sequence[Mapping[str, Any]] = args.get("secondary_ip_ranges") or ()
    said = {"ip_cidr_range": args.get("ip_cidr_range")}
    for at, row in enumerate(() if is_unknown(secondary) else secondary):
        if not is_unknown(row):
            said[f"secondary_ip_ranges[{at}].ip_cidr_range"] = row.get("ip_cidr_range")
    for path, value in said.items():
        try:
            if not is_unknown(value):
                IPv4Network(str(value))
        except ValueError as error:
            yield path, f"it is no range of addresses: {error}"


def _values(value: Any, steps: list[str], place: str) -> Iterator[tuple[str, Any]]:
    """Yields the known values at a path, through lists; a list at the end is one value."""
    if value is None or is_unknown(value):
        return
    if not steps:
        yield place, value
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _values(part, steps, f"{place}[{index}]")
    elif isinstance(value, Mapping):
        yield from _values(value.get(steps[0]), steps[1:], f"{place}.{steps[0]}" if place else steps[0])
