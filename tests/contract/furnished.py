"""A studio of real processes with something of everything in it, and requests that it accepts."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import cmlapi
from chassis.testing.hub import Repo, hub
from chassis.testing.weights import lora, write_adapter
from ft import api
from tests.contract.unset import METHODS
from tests.e2e.conftest import Studio, serving
from tests.support import REPOSITORY, until

CARD = b"---\ndataset_info:\n  features:\n  - name: instruction\n    dtype: string\n---\n"
REPOS = (
    Repo("dataset", "good/data", {"README.md": CARD, "train.csv": b"instruction\nx\n"}),
    Repo("model", "good/model", {"config.json": b'{"architectures": ["LlamaForCausalLM"]}'}),
    Repo("model", "good/adapter", {"adapter_config.json": b'{"peft_type": "LORA"}'}),
)
COLUMNS = ("instruction", "input", "output")
TEMPLATES = {
    "prompt_template": "{instruction}{output}",
    "input_template": "{instruction}",
    "completion_template": "{output}",
}
AXOLOTL = "adapter: lora\ndatasets:\n- {path: , type: alpaca}\nbase_model:\noutput_dir:\n"
_TARGETS = {"model.layers.0.self_attn.q_proj": (128, 128)}
FRESH = ("adapter_name", "model_name", "request_id")


class Target:
    """A studio with something of everything in it, and requests that it accepts."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.client = studio.client()
        self.number = count()
        key = (studio.home / "workbench.key").read_text().strip()
        url = (studio.home / "workbench.url").read_text()
        self.workbench = cmlapi.default_client(f"{url}/api/v2", key)
        self.ids = self._register()

    def _register(self) -> dict[str, str]:
        client = self.client
        adding = api.AddModelRequest(type="project", location="starter/model", name="m")
        ids = {"model": client.AddModel(adding).model.id}
        data = api.AddDatasetRequest(type="project_csv", location="rows.csv", name="d")
        ids["dataset"] = client.AddDataset(data).dataset.id
        prompt = api.PromptMetadata(id="p", name="p", dataset_id=ids["dataset"], **TEMPLATES)
        ids["prompt"] = client.AddPrompt(api.AddPromptRequest(prompt=prompt)).prompt.id
        adapter = api.AddAdapterRequest(name="a", model_id=ids["model"], location="adapter")
        ids["adapter"] = client.AddAdapter(adapter).adapter.id
        config = api.AddConfigRequest(type="axolotl", config=AXOLOTL)
        ids["axolotl"] = client.AddConfig(config).config.id
        self.ids = ids
        ids["job"] = client.StartFineTuningJob(self.valid("StartFineTuningJob")).fine_tuning_job.id
        started = client.StartEvaluationJob(self.valid("StartEvaluationJob"))
        ids["evaluation"] = started.evaluation_job.id
        for type in ("merged", "model_registry"):
            export = self.valid("ExportModel")
            export.type = type
            ids[type] = client.ExportModel(export).export_job_id
        # Another one to be cancelled: a job that has ended reports no more.
        ids["export"] = client.ExportModel(self.valid("ExportModel")).export_job_id
        return ids

    def token(self, id: str, get: Callable[[], Any]) -> str:
        """What the run of a job reports with."""
        cml_job_id = until("the workspace has it", lambda: get().cml_job_id)
        [run] = until("its run", lambda: self.workbench.list_job_runs("local", cml_job_id).job_runs)
        return str(json.loads(run.environment)["FTS_JOB_TOKEN"])

    def valid(self, rpc: str, when: str = "") -> Any:
        """A request that the studio accepts, or would but for an id that is not there."""
        [method] = (method for method in METHODS if method.name == rpc)
        request: Any = GetMessageClass(method.input_type)(**self._values(rpc, when))
        for name in FRESH:
            if name in method.input_type.fields_by_name:
                setattr(request, name, f"fresh-{next(self.number)}")
        return request

    def _values(self, rpc: str, when: str) -> dict[str, Any]:
        fresh, ids = f"fresh-{next(self.number)}", self.ids
        match rpc, when:
            case "AddDataset", "type huggingface":
                return {"type": "huggingface", "huggingface_name": "good/data"}
            case "AddDataset", _:
                roles = {"human": "user"}
                csv = {"type": "project_csv", "location": "rows.csv"}
                return {**csv, "name": fresh, "roles": roles}
            case "AddModel", "type huggingface":
                return {"type": "huggingface", "huggingface_name": "good/model"}
            case "AddModel", "type model_registry":
                return {"type": "model_registry", "model_registry_id": self._registered(fresh)}
            case "AddModel", _:
                return {"type": "project", "location": "starter/model", "name": fresh}
            case "AddAdapter", _:
                known = {"fine_tuning_job_id": ids["job"], "prompt_id": "p"}
                place = {"location": "adapter"}
                if when == "type huggingface":
                    place = {"type": "huggingface", "huggingface_name": "good/adapter"}
                return {"name": fresh, "model_id": ids["model"], **place, **known}
            case "AddPrompt", _:
                prompt = {"id": fresh, "name": fresh, "dataset_id": ids["dataset"], **TEMPLATES}
                return {"prompt": {**prompt, "type": "in_place", "created_at": "x"}}
            case "AddConfig", _:
                config = json.dumps({"r": next(self.number) + 1})
                return {"type": "lora_config", "config": config}
            case "ExportModel", _:
                type = "cml_model" if when == "type cml_model" else "merged"
                of = {"base_model_id": ids["model"], "adapter_id": ids["adapter"]}
                retry = {"retry": {"max_attempts": 2, "on": ["CRASHED"]}}
                return {"type": type, **of, "cpu": 1, "memory": 1, **retry}
            case "StartFineTuningJob", _:
                return self._training(when)
            case "StartEvaluationJob", _:
                both = {"base_model_id": ids["model"], "adapter_id": ids["adapter"]}
                of = {"dataset_id": ids["dataset"], "prompt_id": "p"}
                retry = {"retry": {"max_attempts": 2, "on": ["CRASHED"]}}
                combinations = {"model_adapter_combinations": [both]}
                return {"type": "mlflow", **combinations, **of, "cpu": 1, "memory": 1, **retry}
            case ("RegisterExport", _) | ("ReportJobEvents", _):
                return self._from_job(rpc, when)
            case "ImportDatabase", _:
                return {"imported_json_path": "export.json", "dry_run": True}
            case "ImportDocument", _:
                return {"exported_json": "{}", "dry_run": True}
            case ("WatchJob" | "ListJobEvents" | "TailLogs", _):
                return {"job_id": ids["evaluation"]}
            case "StreamEvaluationRows", _:
                return {"job_id": ids["scored"]}
            case ("ResumeFineTuningJob", _):
                return {"id": ids["job"]}
            case _:
                kind = next((k for k in KINDS if rpc.endswith(k)), "")
                return {"id": ids[KINDS[kind]]} if kind and rpc.startswith("Cancel") else {}

    def _training(self, when: str) -> dict[str, Any]:
        ids = self.ids
        of = {"base_model_id": ids["model"], "dataset_id": ids["dataset"], "prompt_id": "p"}
        cpu, memory = {"cpu": 1}, {"memory": 1}
        if when == "with num_cpu":
            cpu = {"num_cpu": 1}
        if when == "with num_memory":
            memory = {"num_memory": 1}
        more: dict[str, Any] = {"retry": {"max_attempts": 2, "on": ["CRASHED"]}}
        if when == "with a user_script":
            more["user_script"] = "script.py"
        if when == "framework axolotl":
            more |= {"framework_type": "axolotl", "axolotl_config_id": ids["axolotl"]}
        return {**of, **cpu, **memory, **more}

    def _from_job(self, rpc: str, when: str) -> dict[str, Any]:
        kind = "model_registry" if when == "type model_registry" else "merged"
        id = self.ids[kind]
        token = self.token(
            id, lambda: self.client.GetExportJob(api.GetExportJobRequest(id=id)).export_job
        )
        if rpc == "ReportJobEvents":
            return {"job_id": id, "token": token, "data": b'{"event": "x"}\n'}
        made = {"mlflow_experiment_id": "7", "mlflow_run_id": "r", "mlflow_model_path": "model"}
        folder = self.studio.project / "exports" / id / "model"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text('{"model_type": "llama"}')
        return {"job_id": id, "token": token, **made}

    def _registered(self, name: str) -> str:
        made = {"experiment_id": "7", "run_id": "r", "model_path": "model"}
        request = cmlapi.CreateRegisteredModelRequest(project_id="local", model_name=name, **made)
        return str(self.workbench.create_registered_model(request).model_id)

    def send(self, rpc: str, request: Message) -> Any:
        """The answer, or the answers; what was added is removed again."""
        [method] = (method for method in METHODS if method.name == rpc)
        answer = getattr(self.client, rpc)(request, timeout=60)
        if rpc == "WatchJob":
            return next(answer)
        if method.server_streaming:
            return list(answer)
        self.forget(rpc, answer)
        if rpc == "ExportModel" and answer.export_job_id:
            asked = api.GetExportJobRequest(id=answer.export_job_id)
            return self.client.GetExportJob(asked).export_job
        return answer

    def forget(self, rpc: str, answer: Any) -> None:
        """Removes what an RPC has added."""
        for kind in ("Dataset", "Model", "Adapter", "Prompt"):
            if rpc == f"Add{kind}":
                added = getattr(answer, kind.lower()).id
                remove = getattr(api, f"Remove{kind}Request")(id=added)
                getattr(self.client, f"Remove{kind}")(remove)


KINDS = {
    "FineTuningJob": "job",
    "EvaluationJob": "evaluation",
    "ExportJob": "export",
}


@contextmanager
def furnished(home: Path) -> Iterator[Target]:
    """A studio that serves while the block runs; its jobs run on and do nothing."""
    python = home.with_name(f"{home.name}-python")
    about = {"version": "3.11.0", "trainer": [str(REPOSITORY / "shared/trainer")], "lacks": []}
    python.write_text(
        f"#!/bin/sh\nif test \"$1\" = -c; then echo '{json.dumps(about)}'; exit 0; fi\n"
        "exec sleep 3600\n"
    )
    python.chmod(0o755)
    limits = {"FTS_WORKBENCH_CPU": "999", "FTS_WORKBENCH_MEMORY_GIB": "9999"}
    with hub(*REPOS) as served:
        variables = {**served.environment(str(home / "hf")), **limits, "FTS_WORKBENCH_GPUS": "9"}
        with serving(home, trainer_python=str(python), **variables) as studio:
            write_adapter(studio.project / "adapter", lora(_TARGETS), [*_TARGETS])
            rows = [",".join(COLUMNS), *(f"i{n},x,o{n}" for n in range(20))]
            (studio.project / "rows.csv").write_text("\n".join(rows) + "\n")
            (studio.project / "script.py").write_text("print(1)\n")
            (studio.project / "export.json").write_text("{}")
            target = Target(studio)
            _score(target)
            with target.client:
                yield target


def _score(target: Target) -> None:
    """Has an evaluation whose table of results is there."""
    job = target.client.StartEvaluationJob(target.valid("StartEvaluationJob")).evaluation_job
    folder = target.studio.project / job.evaluation_dir
    os.makedirs(folder, exist_ok=True)
    (folder / "result_evaluation.csv").write_text(
        "model_input,expected_output,model_output\ni,e,o\n"
    )
    target.ids["scored"] = job.id
