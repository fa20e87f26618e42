"""Property values on the wire, what of a live object is an input, and what changed between two trees."""

import base64
from typing import Any

import pytest

from rehearsal.plugins import values
from rehearsal.plugins.kube import diff, kinds, managers, objects

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}}


def test_values_survive_the_wire() -> None:
    plain = {"none": None, "list": [1, 2.5, True, "x", {"a": []}], "big": 9007199254740991, "empty": {}}
    assert values.to_python(values.to_struct(plain)) == plain
    assert isinstance(values.to_python(values.to_struct({"n": 3.0}))["n"], int)
    assert values.to_python(values.to_struct({"b": True}))["b"] is True


def test_secrets_are_unwrapped_however_deep() -> None:
    wrapped = {"a": values.secret({"b": values.secret([1])})}
    assert values.to_python(values.to_struct(wrapped)) == {"a": {"b": [1]}}


def test_unknowns_are_found_however_deep() -> None:
    assert values.contains_unknown({"a": [{"b": values.UNKNOWN}]})
    assert not values.contains_unknown({"a": [{"b": f"x{values.UNKNOWN}"}]})


def test_foreign_values_are_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        values.to_struct({"a": object()})


def changes(
    old: Any, new: Any, kind: dict[str, Any] = DEPLOYMENT, *, mutable: bool = False
) -> tuple[dict[str, str], set[str]]:
    found = diff.detailed(old, new, kinds.force_new(kind, content_mutable=mutable))
    return found.updates, found.replaces


def test_only_the_changed_path_is_named() -> None:
    old = {"spec": {"replicas": 1, "list": [{"a.b": 1}, 2, 3], "gone": 1}}
    new = {"spec": {"replicas": 2, "list": [{"a.b": 2}, 2], "new": {"x": 1}}}
    assert changes(old, new) == (
        {
            "spec.replicas": "UPDATE",
            'spec.list[0]["a.b"]': "UPDATE",
            "spec.list[2]": "DELETE",
            "spec.gone": "DELETE",
            "spec.new": "ADD",
        },
        set(),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"spec": {"selector": {"matchLabels": {"a": 1}}}}, {"spec": {"selector": {"matchLabels": {"a": 2}}}}),
        ({"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}),
        ({"metadata": {"name": "a"}}, {}),
        ({}, {"spec": {"selector": {}}}),
    ],
)
def test_immutable_fields_replace(old: Any, new: Any) -> None:
    updates, replaces = changes(old, new)
    assert replaces == set(updates)
    assert replaces


def test_a_change_beside_an_immutable_field_does_not_replace() -> None:
    assert changes({"spec": {"selectors": 1}}, {"spec": {"selectors": 2}}) == ({"spec.selectors": "UPDATE"}, set())


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_content_is_replaced_unless_mutable(kind: str) -> None:
    obj = {"apiVersion": "v1", "kind": kind}
    assert changes({"data": {"a": 1}}, {"data": {"a": 2}}, obj)[1] == {"data.a"}
    assert changes({"data": {"a": 1}}, {"data": {"a": 2}}, obj, mutable=True)[1] == set()
    assert changes({"data": {"a": 1}}, {"data": {"a": 2}}, obj | {"immutable": True}, mutable=True)[1] == {"data.a"}


def test_a_booleans_number_is_a_change() -> None:
    assert changes({"a": 1}, {"a": True})[0] == {"a": "UPDATE"}


def test_live_values_take_the_shape_of_the_inputs() -> None:
    inputs = {
        "spec": {"replicas": 1, "gone": 1, "containers": [{"resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}]}
    }
    live = {
        "spec": {
            "replicas": 2,
            "defaulted": 1,
            "containers": [{"resources": {"limits": {"cpu": "1", "memory": "2Gi"}}, "defaulted": 1}],
        }
    }
    assert objects.inputs_of(live, inputs) == {
        "spec": {"replicas": 2, "containers": [{"resources": {"limits": {"cpu": "1000m", "memory": "2Gi"}}}]}
    }


def test_a_secrets_string_data_is_read_back_from_its_data() -> None:
    live = {"kind": "Secret", "apiVersion": "v1", "data": {"a": base64.b64encode(b"new").decode()}}
    assert objects.inputs_of(live, {"kind": "Secret", "stringData": {"a": "old", "gone": "x"}})["stringData"] == {
        "a": "new"
    }


def test_a_secrets_data_is_secret_in_the_state() -> None:
    state = objects.to_state({"kind": "Secret", "apiVersion": "v1", "data": {"a": "eA=="}}, "m")
    assert state["data"] == values.secret({"a": "eA=="})


def test_extension_fields_change_their_spelling_both_ways() -> None:
    obj = objects.to_object({"schema": {"x_kubernetes_preserve_unknown_fields": True}})
    assert obj == {"schema": {"x-kubernetes-preserve-unknown-fields": True}}
    assert objects.to_state(obj, "m")["schema"] == {"x_kubernetes_preserve_unknown_fields": True}


def test_import_leaves_out_what_the_server_owns() -> None:
    live = DEPLOYMENT | {
        "metadata": {
            "name": "d",
            "uid": "u",
            "managedFields": [],
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        },
        "spec": {"replicas": 1},
        "status": {},
    }
    assert objects.import_inputs(live) == DEPLOYMENT | {"metadata": {"name": "d"}, "spec": {"replicas": 1}}


def test_a_made_up_name_is_kept_and_marked() -> None:
    first = objects.named({}, {}, "x-1")
    assert first == {"metadata": {"name": "x-1", "annotations": {objects.AUTONAMED: "true"}}}
    assert objects.named({}, first, "x-2")["metadata"]["name"] == "x-1"
    assert objects.named({"metadata": {"name": "mine"}}, first, "x-2") == {"metadata": {"name": "mine"}}
    assert objects.named({}, {"metadata": {"name": "mine"}}, "x-2")["metadata"]["name"] == "x-2"


@pytest.mark.parametrize(("id_", "parts"), [("n/d", ("n", "d")), ("d", ("", "d"))])
def test_ids(id_: str, parts: tuple[str, str]) -> None:
    assert objects.split_id(id_) == parts
    assert objects.object_id({"metadata": {"namespace": parts[0], "name": parts[1]}}) == id_


def entry(manager: str, operation: str, fields: Any, **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def test_plain_updates_are_taken_over_and_subresources_are_not() -> None:
    ours = entry("pulumi-kubernetes-1", "Apply", {"f:a": {}})
    plain = entry("pulumi-kubernetes", "Update", {"f:spec": {"f:x": {}}})
    edited = entry("kubectl-edit", "Update", {"f:spec": {"f:y": {}}})
    scaled = entry("kubectl", "Update", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    assert managers.adopted([plain, edited, scaled, ours], "pulumi-kubernetes-1") == [
        entry("pulumi-kubernetes-1", "Apply", {"f:a": {}, "f:spec": {"f:x": {}, "f:y": {}}}),
        scaled,
    ]
    assert managers.adopted([scaled, ours], "pulumi-kubernetes-1") is None


def test_an_ignored_field_stays_with_its_owner() -> None:
    def wanted() -> dict[str, Any]:
        return {"spec": {"replicas": 1, "other": 1}}

    fields = {"f:spec": {"f:replicas": {}}}
    live: dict[str, Any] = {"spec": {"replicas": 5}, "metadata": {"managedFields": [entry("hpa", "Update", fields)]}}
    theirs, ours = wanted(), wanted()
    managers.respect(theirs, live, "spec.replicas", "me")
    assert theirs == {"spec": {"other": 1}}
    live["metadata"]["managedFields"].append(entry("me", "Apply", fields))
    managers.respect(ours, live, "spec.replicas", "me")
    assert ours == {"spec": {"replicas": 5, "other": 1}}


def test_an_empty_text_that_the_api_server_does_not_keep_is_no_drift() -> None:
    inputs = {"spec": {"containers": [{"env": [{"name": "A", "value": ""}, {"name": "B", "value": "b"}]}]}}
    live = {"spec": {"containers": [{"env": [{"name": "A"}, {"name": "B", "value": "changed"}]}]}}
    assert objects.inputs_of(live, inputs)["spec"]["containers"][0]["env"] == [
        {"name": "A", "value": ""},
        {"name": "B", "value": "changed"},
    ]
