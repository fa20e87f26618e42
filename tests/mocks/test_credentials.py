"""The stack's own token: a Secret of the cluster and a secret of the state, and in nothing else the program says or makes."""

import json
import logging
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime_config
from pulumi.runtime import rpc

from stacks import program
from stacks.blueprint import ServingBlueprint
from stacks.compose import compose
from stacks.rules.facts import Facts, blueprint
from stacks.rules.live import Found
from stacks.rules.table import Examined
from tests.blueprints import spec_from_config
from tests.mocks.recording import Recording, record

TOKEN = "hf_" + "Zq7" * 11
SERVING = {"accelerator": "nvidia"}
OWNER = "acme/llmd-pd/prod"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[ServingBlueprint]:
    """The plans that were looked ahead for."""
    plans: list[ServingBlueprint] = []

    def check_live_cluster(_: Examined, facts: Facts, owner: str) -> Found:
        plans.append(facts.served)
        pulumi.log.warn(f"looked ahead for {facts.blueprint} of {owner}")
        return Found()

    monkeypatch.setattr(program, "check_live_cluster", check_live_cluster)
    monkeypatch.setattr(program, "repair_helm_records", lambda *_: None)
    return plans


def run(*secret: str, preview: bool = False, **config: Any) -> Recording:
    """Runs the program with these sections, of which the engine has decrypted some: the secret is text in it by then."""
    before = dict(runtime_config.CONFIG.get())
    given = {"llmd-pd:crds": json.dumps({"manage": False})}
    given |= {f"llmd-pd:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    runtime_config.set_all_config(given, [f"llmd-pd:{key}" for key in secret])
    try:
        return record(lambda: program.run(Path("/")), preview=preview)
    finally:
        runtime_config.set_all_config(before, [])


# --- what is made of it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("stated", [TOKEN, {"secure": TOKEN}], ids=["as documented", "by the key's name"])
@pytest.mark.usefixtures("looked")
def test_the_secret_holds_the_token_as_a_secret_of_the_state(stated: Any, preview: bool) -> None:
    recording = run("serving", serving={**SERVING, "hfToken": stated}, namespace="team-a", preview=preview)
    (secret,) = recording.under("Credentials")
    assert secret.type == "kubernetes:core/v1:Secret"
    held = secret.inputs["stringData"]
    assert rpc.is_rpc_secret(held)
    assert rpc.unwrap_rpc_secret(held) == {"HF_TOKEN": TOKEN}
    inputs = {key: value for key, value in secret.inputs.items() if key != "stringData"}
    metadata = {"name": "llm-d-hf-token", "namespace": "team-a"}
    assert inputs == {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    # `data` is the API server's, and what comes back of `stringData` the provider's.
    assert set(secret.secret_outputs) == {"data", "stringData"}
    assert (secret.provider, secret.after, secret.retained) == ("cluster-cluster", {"team-a"}, False)


@pytest.mark.usefixtures("looked")
def test_model_servers_come_after_it_and_wait_for_it() -> None:
    recording = run("serving", serving={**SERVING, "hfToken": TOKEN})
    (secret,) = recording.under("Credentials")
    servers = recording.under("ModelServer")
    assert len(servers) == 3
    for resource in servers:
        assert secret.name in resource.after, resource.name
    for deployment in recording.of(":Deployment"):
        (server,) = deployment.inputs["spec"]["template"]["spec"]["containers"]
        (variable,) = (row for row in server["env"] if row["name"] == "HF_TOKEN")
        assert variable["valueFrom"] == {"secretKeyRef": {"name": "llm-d-hf-token", "key": "HF_TOKEN"}}


@pytest.mark.parametrize(
    "serving", [SERVING, {**SERVING, "hfToken": "mine"}, {**SERVING, "hfToken": {"secret": "mine"}}]
)
@pytest.mark.usefixtures("looked")
def test_without_a_token_of_its_own_a_stack_makes_no_secret(serving: dict[str, Any]) -> None:
    recording = run(serving=serving)
    assert recording.of(":Credentials") == recording.of(":Secret") == []


def test_the_token_is_a_secret_whatever_it_comes_as() -> None:
    spec = spec_from_config({"serving": {**SERVING, "hfToken": {"secure": "v1:x"}}, "crds": {"manage": False}})
    recording = record(lambda: compose(blueprint(spec, Path("/")), OWNER, hf_token=TOKEN))
    (secret,) = recording.under("Credentials")
    assert rpc.is_rpc_secret(secret.inputs["stringData"])


# --- where it is not -------------------------------------------------------------------------------------------------------


def test_nothing_else_sees_it(
    looked: list[ServingBlueprint], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    recording = run(
        "serving", serving={**SERVING, "hfToken": TOKEN}, router={"mode": "gateway", "gateway": {"provider": "gke"}}
    )
    (planned,) = looked
    assert "looked ahead for Blueprint(" in caplog.text, "nothing was logged, so nothing was shown"
    others = [r.inputs for r in recording.resources if not r.type.endswith(":Secret")]
    assert len(others) > 10
    said = {
        "spec": repr(planned.spec),
        "plan": repr(planned),
        "objects": repr(others),
        "exports": repr(recording.exports),
        "log": caplog.text,
        "output": "".join(capfd.readouterr()),
    }
    assert [where for where, text in said.items() if TOKEN in text] == []
    assert planned.spec.serving.hf_token is not None
    assert planned.spec.serving.hf_token.secure == "[secret]"


#: Serving sections that are refused, and words of the refusal.
BROKEN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({**SERVING, "hfToken": TOKEN, "fabric": "coreweve"}, {}, "`coreweave`?"),
    ({**SERVING, "hfToken": TOKEN, "hfTokn": 1}, {}, "leave it out: `hfToken` is there already"),
    ({**SERVING, "hfToken": TOKEN, "prefill": {"replicas": 0}}, {}, "at least 1"),
    ({"hfToken": TOKEN}, {}, "accelerator: it is missing"),
    ({**SERVING, "hfToken": {"secure": TOKEN, "secret": "mine"}}, {}, "both a Secret's name and a token"),
    ({**SERVING, "hfToken": {"secure": TOKEN, "key": "mine"}}, {}, "unknown key"),
    ({**SERVING, "hfToken": {"secret": TOKEN}}, {}, "an encrypted value that is not `serving.hfToken`"),
    ({**SERVING, "hfToken": [TOKEN]}, {}, "an encrypted value that is not `serving.hfToken`"),
    ({**SERVING, "hfToken": TOKEN}, {"crds": {"directory": "/nowhere"}}, "`/nowhere` does not exist"),
    ({**SERVING, "hfToken": TOKEN}, {"router": {"mode": "gateway"}}, "mode gateway has no gateway"),
]


@pytest.mark.parametrize(("serving", "more", "words"), BROKEN, ids=[words for *_, words in BROKEN])
@pytest.mark.usefixtures("looked")
def test_an_error_does_not_tell_it(
    serving: dict[str, Any], more: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(pulumi.RunError) as error:
        run("serving", serving=serving, **more)
    assert words in str(error.value)
    assert TOKEN not in f"{error.value!r}{error.value}{caplog.text}"


@pytest.mark.parametrize(
    ("section", "content"),
    [
        ("serving", {**SERVING, "env": {"HF_TOKEN": TOKEN}}),
        ("serving", {**SERVING, "env": {"HF_TOKEN": TOKEN}, "hfToken": {"secret": "mine"}}),
        ("serving", TOKEN),
        ("router", {"values": {"password": TOKEN}}),
        ("name", TOKEN),
    ],
    ids=str,
)
def test_nothing_else_may_be_encrypted(section: str, content: Any, looked: list[ServingBlueprint]) -> None:
    """It would be in objects, in the state and in a preview, in clear."""
    with pytest.raises(pulumi.RunError) as error:
        run(section, **{"serving": SERVING, section: content})
    assert str(error.value).startswith(f"llmd-pd:{section}: it holds an encrypted value that is not `serving.hfToken`")
    assert TOKEN not in str(error.value)
    assert looked == []
