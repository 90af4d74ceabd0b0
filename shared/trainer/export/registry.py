"""Models in MLflow: logged with their adapter, read back, and registered."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import rows
from rows.chat.messages import Message
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
"""What a call may set, with what holds where neither it nor the export does."""
_PACKAGES = ("mlflow", "peft", "torch", "transformers")


@dataclass(frozen=True)
class LoggedModel:
    """A model that is logged in a run of MLflow."""

    uri: str
    experiment_id: str
    run_id: str
    path: str

    def predictions(self, parity: Parity, roles: Mapping[str, str]) -> list[str]:
        """What the model, read back, makes of the prompts. `roles` are those that it was logged
        with."""
        import pandas
        from mlflow import pyfunc

        greedy = parity.generation_config
        params = {name: greedy[name] for name in ("do_sample", "max_new_tokens")}
        asked: dict[str, list[Any]]
        if parity.chat:
            talks = [one for one in parity.prompts if not isinstance(one, str)]
            asked = {"messages": [_in_words_of(roles, one.messages) for one in talks]}
            if any(one.tools for one in talks):
                asked["tools"] = [one.tools for one in talks]
        else:
            asked = {"prompt": list(parity.prompts)}
        prompts = pandas.DataFrame(asked)
        with runs.tracking_errors():
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
    """How a model is asked."""

    generation: Any
    chat_ends: list[int]
    """What ends an answer to messages; empty for a model that takes no messages."""
    roles: dict[str, str] = field(default_factory=dict)
    """What roles of messages stand for, where they do not stand for themselves."""

    def signature(self) -> Any:
        """The columns and params of a call, as MLflow has them."""
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
            # Of any type: the model's code takes what a training takes, and says what it refuses.
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
    folder: Path, location: str, form: ModelInterface, metadata: dict[str, Any], run_name: str
) -> LoggedModel:
    """Logs what lies in `folder` as `base` and `adapter`, in a run of its own.

    MLflow's own flavor for transformers is not used: it saves a model with an adapter so that its
    weights are not found when it is loaded, and says nothing.
    """
    import mlflow

    shipped = _shipped(folder)
    with mlflow.start_run(run_name=run_name) as run:
        info = mlflow.pyfunc.log_model(
            name=location,
            python_model=str(CODE),
            artifacts={
                # As addresses: a path with `#` or `%20` in it is read as one, too.
                name: (folder / name).absolute().as_uri()
                for name in ("base", "adapter")
            },
            signature=form.signature(),
            model_config={"chat_ends": form.chat_ends, "roles": form.roles},
            code_paths=[str(shipped)],
            # Given, since MLflow would find them out by running the model.
            pip_requirements=[f"{name}=={_release(name)}" for name in _PACKAGES],
            metadata={**metadata, "generation_config": form.generation.to_diff_dict()},
        )
        _name_no_place(info, location)
    return LoggedModel(info.model_uri, run.info.experiment_id, run.info.run_id, location)


def _name_no_place(logged: Any, location: str) -> None:
    """Has the description of a logged model name no place of this machine, which MLflow writes
    there and does not need: it looks for everything beside that file."""
    from mlflow import MlflowClient, artifacts
    from mlflow.models import Model

    # By the folder: the address of a single file is not found below a folder with `#` in its name.
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
    """Registers a logged model under a name; its version."""
    import mlflow

    return str(mlflow.register_model(logged.uri, name).version)


@runs.tracking_errors()
def deregister(name: str, number: str) -> None:
    """Takes a version out, and the name with the last one."""
    from mlflow import MlflowClient

    client = MlflowClient()
    client.delete_model_version(name, number)
    if not client.search_model_versions(f"name='{name}'"):
        client.delete_registered_model(name)


@runs.tracking_errors()
def discard_unfinished(experiment: str) -> None:
    """Ends the runs that a job which was killed has left in its experiment, and marks them and the
    models in them as deleted."""
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


def _in_words_of(roles: Mapping[str, str], talk: Sequence[Message]) -> list[Message]:
    """Messages with the roles that stand for theirs."""
    names = {role: name for name, role in roles.items()}
    return [
        {**one, "role": names[role] if (role := one["role"]) in roles else role} for one in talk
    ]


def _shipped(folder: Path) -> Path:
    """Puts what CODE imports of the package `rows` into a folder."""
    target = folder / rows.__name__
    (target / "chat").mkdir(parents=True)
    for name in SHIPPED:
        shutil.copyfile(Path(rows.__path__[0]) / name, target / name)
    return target


def _release(package: str) -> str:
    # Without what tells builds apart, such as `+cpu`: no index has it.
    return version(package).partition("+")[0]
