"""Models in MLflow: logging an adapter with its base model, reading it back, and registration."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import rows
from trainer.export.parity import Parity
from trainer.tracking import runs

CODE = Path(__file__).parent / "registered_model.py"
SHIPPED = (
    "__init__.py",
    "errors.py",
    "values.py",
    "chat/__init__.py",
    "chat/messages.py",
    "chat/call_arguments.py",
)
"""Files of the package `rows` that CODE imports; they are logged together with it."""
PARAMETERS: dict[str, Any] = {
    "max_new_tokens": 60,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 50,
    "repetition_penalty": 1.0,
    "num_beams": 1,
    "do_sample": False,
}
"""Parameters of a call, with defaults for those that neither the call nor the export sets."""
_PACKAGES = ("mlflow", "peft", "torch", "transformers")


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Imports without writing bytecode. MLflow runs a model's code where a local store keeps it,
    and compiled files there would be part of the model and name a path of this machine."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@dataclass(frozen=True)
class LoggedModel:
    """A model that is logged in an MLflow run."""

    uri: str
    experiment_id: str
    run_id: str
    path: str

    def predictions(self, parity: Parity, roles: Mapping[str, str]) -> list[str]:
        """Answers of the model, read back, to the prompts. `roles` are those that it was logged
        with."""
        import pandas
        from mlflow import pyfunc

        greedy = parity.generation_config
        params = {name: greedy[name] for name in ("do_sample", "max_new_tokens")}
        asked: dict[str, list[Any]]
        if parity.chat:
            talks = [one for one in parity.prompts if not isinstance(one, str)]
            # The model maps roles itself, so it gets messages with the roles of the data.
            names = {role: name for name, role in roles.items()}
            conversations = [
                [{**one, "role": names.get(one["role"], one["role"])} for one in talk.messages]
                for talk in talks
            ]
            asked = {"messages": conversations}
            if any(one.tools for one in talks):
                asked["tools"] = [one.tools for one in talks]
        else:
            asked = {"prompt": list(parity.prompts)}
        prompts = pandas.DataFrame(asked)
        with runs.tracking_errors(), _without_bytecode():
            model = pyfunc.load_model(self.uri)
        written: list[str] = model.predict(prompts, params=params)
        return written

    @runs.tracking_errors()
    def discard(self) -> None:
        """Marks run and model as deleted; `mlflow gc` frees their space."""
        from mlflow import MlflowClient

        client = MlflowClient()
        client.delete_logged_model(self.uri.removeprefix("models:/"))
        client.delete_run(self.run_id)


@dataclass(frozen=True)
class ModelInterface:
    """Inputs and settings of a registered model."""

    generation: Any
    chat_ends: list[int]
    """Tokens that end an answer to messages; empty for a model that takes no messages."""
    roles: dict[str, str] = field(default_factory=dict)
    """Roles of messages that are mapped to others."""

    def signature(self) -> Any:
        """The columns and parameters of a call, as MLflow describes them."""
        import pandas
        from mlflow.models import infer_signature
        from mlflow.types.schema import AnyType, ColSpec, Schema

        given = {name: getattr(self.generation, name, None) for name in PARAMETERS}
        params = {
            name: usual if given[name] is None else type(usual)(given[name])
            for name, usual in PARAMETERS.items()
        }
        example = pandas.DataFrame({"prompt": ["text"]})
        signature = infer_signature(example, ["text"], params=params)
        if self.chat_ends:
            # Of any type: the model's code accepts the forms of training data, and refuses others.
            signature.inputs = Schema(
                [
                    ColSpec("string", "prompt", required=False),
                    ColSpec(AnyType(), "messages", required=False),
                    ColSpec(AnyType(), "tools", required=False),
                ]
            )
        return signature


@runs.tracking_errors()
def log(
    folder: Path, location: str, interface: ModelInterface, metadata: dict[str, Any], run_name: str
) -> LoggedModel:
    """Logs `base` and `adapter` in `folder`, in a new run.

    MLflow's own flavor for transformers is not used: it saves a model with an adapter so that its
    weights are not found when it is loaded, without an error.
    """
    import mlflow

    shipped = _copy_modules(folder)
    with mlflow.start_run(run_name=run_name) as run:
        info = mlflow.pyfunc.log_model(
            name=location,
            python_model=str(CODE),
            artifacts={
                # As URIs: MLflow would also parse a path with `#` or `%20` as a URI.
                name: (folder / name).absolute().as_uri()
                for name in ("base", "adapter")
            },
            signature=interface.signature(),
            model_config={"chat_ends": interface.chat_ends, "roles": interface.roles},
            code_paths=[str(shipped)],
            # Otherwise MLflow would run the model to detect them. A build such as `+cpu` is left
            # out: no index has it.
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in _PACKAGES],
            metadata={**metadata, "generation_config": interface.generation.to_diff_dict()},
        )
        _remove_paths(info, location)
    return LoggedModel(info.model_uri, run.info.experiment_id, run.info.run_id, location)


def _remove_paths(logged: Any, location: str) -> None:
    """Removes paths of this machine from the description of a logged model. MLflow does not need
    them: all files are next to the description."""
    from mlflow import MlflowClient, artifacts
    from mlflow.models import Model

    # Downloads the folder: MLflow does not find a single file below a folder with `#` in its name.
    description = Model.load(artifacts.download_artifacts(logged.model_uri))
    description.artifact_path = location
    pyfunc = description.flavors["python_function"]
    pyfunc["model_code_path"] = CODE.name
    for artifact in pyfunc["artifacts"].values():
        artifact["uri"] = artifact["path"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "MLmodel"
        description.save(str(file))
        MlflowClient().log_model_artifact(logged.model_id, str(file))


@runs.tracking_errors()
def register(logged: LoggedModel, name: str) -> str:
    """Registers a logged model under a name; returns its version."""
    import mlflow

    return str(mlflow.register_model(logged.uri, name).version)


@runs.tracking_errors()
def deregister(name: str, number: str) -> None:
    """Deletes a version, and the name if it has no other version."""
    from mlflow import MlflowClient

    client = MlflowClient()
    client.delete_model_version(name, number)
    if not client.search_model_versions(f"name='{name}'"):
        client.delete_registered_model(name)


@runs.tracking_errors()
def discard_unfinished(experiment: str) -> None:
    """Ends the runs that a killed job has left in its experiment, and marks them and their models
    as deleted."""
    from mlflow import MlflowClient

    client = MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return
    running = {run.info.run_id for run in runs.unfinished(client, found.experiment_id)}
    for model in client.search_logged_models([found.experiment_id]) if running else ():
        if model.source_run_id in running:
            client.delete_logged_model(model.model_id)
    for run_id in running:
        client.set_terminated(run_id, runs.KILLED)
        client.delete_run(run_id)


def _copy_modules(folder: Path) -> Path:
    """Copies the modules of the package `rows` that CODE imports into a folder."""
    target = folder / rows.__name__
    (target / "chat").mkdir(parents=True)
    for name in SHIPPED:
        shutil.copyfile(Path(rows.__path__[0]) / name, target / name)
    return target
