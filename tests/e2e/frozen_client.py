"""A client in the field: knows the frozen contract, gRPC and protobuf, and nothing of the studio.

    python -I tests/e2e/frozen_client.py <host:port> <project directory>

Calls each of the 32 RPCs, from registering data to removing everything, and prints as JSON how
often it called each. The contract's AddModel has no field for a directory of the project, so the
model comes in as one comes in from another studio: in a file that ImportDatabase takes. AddModel
and ExportModel are called, and refused: their successes need a hub and a workspace.
"""

import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc

sys.path.append(str(Path(__file__).parents[1] / "contract"))
import frozen

OURS = {"chassis", "cmlapi", "ft", "jobs", "services", "trainer"}
FOLDER = "frozen"
ID = "frozen-client"
ROWS = [(f"I want to cancel order {n}", "cancel_order") for n in range(40)]
TEMPLATES = {
    "prompt_template": "### CUSTOMER: {customer}\n### ACTION: {action}",
    "input_template": "### CUSTOMER: {customer}\n### ACTION:",
    "completion_template": " {action}",
}
LORA = '{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}'
TRAINING = '{"per_device_train_batch_size": 8, "report_to": "none"}'
GENERATION = '{"do_sample": false, "max_new_tokens": 4}'
KINDS = ("EvaluationJob", "FineTuningJob", "Adapter", "Prompt", "Config", "Model", "Dataset")
"""What can be removed, in an order in which nothing refers to what is gone."""
AGGREGATES = "aggregregated_results.csv"
"""Spelled as readers expect it."""
JOB_SECONDS = 240.0


class Studio:
    """Every RPC as a function that takes the fields of its request."""

    def __init__(self, address: str) -> None:
        self.calls: Counter[str] = Counter()
        self._rpcs = frozen.Contract().rpcs
        self._channel = grpc.insecure_channel(address)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, self._rpcs[name])

    def _call(self, rpc: Any, **fields: Any) -> Any:
        self.calls[rpc.name] += 1
        send = self._channel.unary_unary(
            f"/{rpc.service}/{rpc.name}",
            request_serializer=rpc.request.SerializeToString,
            response_deserializer=rpc.response.FromString,
        )
        return send(rpc.request(**fields), timeout=60, wait_for_ready=True)

    @property
    def uncalled(self) -> set[str]:
        """RPCs that were not called yet."""
        return set(self._rpcs) - set(self.calls)


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """Fails unless a call in the block is refused with one of these codes."""
    found, why = "OK", ""
    try:
        yield
    except grpc.RpcError as error:
        found, why = error.code().name, error.details()
    assert found in codes, f"{found}: {why}"
    assert why, "a refusal says why"


def until(what: str, ask: Callable[[], Any]) -> Any:
    """The first answer that is something."""
    deadline = time.monotonic() + JOB_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what}: not within {JOB_SECONDS} s"
        time.sleep(0.2)
    return answer


class Lifecycle:
    """What a user of the studio does, from first to last."""

    def __init__(self, studio: Studio, project: Path) -> None:
        self.studio = studio
        self.project = project
        self.ids: dict[str, str] = {}

    def register(self) -> None:
        """Data, model, prompt and configs."""
        studio = self.studio
        (self.project / FOLDER).mkdir()
        with (self.project / FOLDER / "rows.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("customer", "action"), *ROWS])
        dataset = studio.AddDataset(
            type="project_csv", name=ID, location=f"{FOLDER}/rows.csv"
        ).dataset
        assert json.loads(dataset.features) == ["customer", "action"]
        model = {"id": ID, "type": "project", "framework": "pytorch", "name": ID}
        self._import({"models": {"schema": "", "data": [{**model, "location": "starter/model"}]}})
        with refused("INVALID_ARGUMENT"):
            studio.AddModel(type="huggingface")
        prompt = {"id": ID, "type": "in_place", "name": ID, "dataset_id": dataset.id, **TEMPLATES}
        prompt_id = studio.AddPrompt(prompt=prompt).prompt.id
        config = studio.AddConfig(type="lora_config", config=LORA).config
        assert studio.AddConfig(type="lora_config", config=LORA).config == config
        assert config in studio.ListConfigs(type="lora_config").configs
        self.ids = {"Dataset": dataset.id, "Model": ID, "Prompt": prompt_id, "Config": config.id}

    def fine_tune(self) -> None:
        """Trains an adapter, which says that it is done by being registered."""
        studio, ids = self.studio, self.ids
        started = studio.StartFineTuningJob(
            adapter_name=ID,
            base_model_id=ids["Model"],
            dataset_id=ids["Dataset"],
            prompt_id=ids["Prompt"],
            num_workers=1,
            num_epochs=1,
            learning_rate=2e-3,
            cpu=1,
            memory=2,
            train_test_split=0.8,
            dataset_fraction=1.0,
            lora_config=LORA,
            training_arguments_config=TRAINING,
            auto_add_adapter=True,
            framework_type="legacy",
        ).fine_tuning_job
        ids["FineTuningJob"] = started.id
        assert started.cml_job_id
        adapter_id = until(
            "trained", lambda: studio.GetFineTuningJob(id=started.id).fine_tuning_job.adapter_id
        )
        self._is_the_adapter_of(started.id, adapter_id)

    def _is_the_adapter_of(self, job_id: str, adapter_id: str) -> None:
        studio = self.studio
        [adapter] = (a for a in studio.ListAdapters().adapters if a.id == adapter_id)
        assert (adapter.name, adapter.model_id, adapter.prompt_id) == (ID, ID, ID)
        assert adapter.fine_tuning_job_id == job_id
        assert (self.project / adapter.location / "adapter_config.json").is_file()
        split = studio.GetDatasetSplitByAdapter(adapter_id=adapter_id).response
        assert (split.dataset_fraction, round(split.train_test_split, 6)) == (1.0, 0.8)
        self.ids["Adapter"] = adapter_id
        self._add_again(adapter)

    def _add_again(self, adapter: Any) -> None:
        """The same files can be another adapter, under another name."""
        fields = {"type": "project", "model_id": ID, "location": adapter.location}
        with refused("ALREADY_EXISTS"):
            self.studio.AddAdapter(name=ID, **fields)
        again = self.studio.AddAdapter(name=f"{ID}-again", **fields).adapter
        assert self.studio.GetAdapter(id=again.id).adapter == again
        self.studio.RemoveAdapter(id=again.id)

    def evaluate(self) -> None:
        """Measures the adapter; the files of results say that it is done."""
        studio, ids = self.studio, self.ids
        pair = {"base_model_id": ids["Model"], "adapter_id": ids["Adapter"]}
        job = studio.StartEvaluationJob(
            type="mlflow",
            model_adapter_combinations=[pair],
            dataset_id=ids["Dataset"],
            prompt_id=ids["Prompt"],
            cpu=1,
            memory=2,
            generation_config=GENERATION,
            selected_features=["customer"],
            eval_dataset_fraction=1.0,
        ).evaluation_job
        ids["EvaluationJob"] = job.id
        assert job.parent_job_id
        results = self.project / job.evaluation_dir
        scores = until("evaluated", lambda: _rows(results / AGGREGATES))
        assert "exact_match" in {row["metric"] for row in scores}
        rows = _rows(results / "result_evaluation.csv")
        assert len(rows) == len(ROWS) * 0.2
        assert {"model_input", "expected_output", "customer_$useradded$"} <= set(rows[0])

    def export_model(self) -> None:
        """A model that is not there cannot be handed on."""
        with refused("FAILED_PRECONDITION", "NOT_FOUND"):
            self.studio.ExportModel(
                type="cml_model", base_model_id=ID, adapter_id="no-such-adapter", model_name=ID
            )

    def move(self) -> None:
        """What is exported and removed comes back with an import, ids and all."""
        exported = json.loads(self.studio.ExportDatabase().exported_json)
        before = self._present()
        assert set(before) == set(KINDS)
        self.remove()
        assert not self._present()
        self._import(exported)
        after = self._present()
        assert after == before, (after, before)

    def remove(self) -> None:
        """Removes everything. Removing it again succeeds."""
        for kind in KINDS * 2:
            getattr(self.studio, f"Remove{kind}")(id=self.ids[kind])
        for kind in KINDS:
            with refused("NOT_FOUND"):
                getattr(self.studio, f"Get{kind}")(id=self.ids[kind])

    def _present(self) -> dict[str, Any]:
        """What of ours is listed; `Get` says the same of it."""
        found = {}
        for kind in KINDS:
            response = getattr(self.studio, f"List{kind}s")()
            for item in (item for _, listed in response.ListFields() for item in listed):
                if item.id == self.ids[kind]:
                    [(_, got)] = getattr(self.studio, f"Get{kind}")(id=item.id).ListFields()
                    found[kind] = _known(item)
                    assert _known(got) == found[kind]
        return found

    def _import(self, tables: dict[str, Any]) -> None:
        (self.project / FOLDER / "tables.json").write_text(json.dumps(tables))
        self.studio.ImportDatabase(imported_json_path=f"{FOLDER}/tables.json")


def _known(message: Any) -> Any:
    """The message without the fields that the frozen contract does not have."""
    message.DiscardUnknownFields()
    return message


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """The whole lifecycle."""
    studio = Studio(sys.argv[1])
    life = Lifecycle(studio, Path(sys.argv[2]))
    for step in (life.register, life.fine_tune, life.evaluate, life.export_model, life.move):
        began = time.monotonic()
        step()
        sys.stderr.write(f"{step.__name__}: {time.monotonic() - began:.1f} s\n")
    life.remove()
    assert not studio.uncalled
    assert not {name.partition(".")[0] for name in sys.modules} & OURS
    json.dump(studio.calls, sys.stdout)


if __name__ == "__main__":
    main()
