"""From an adapter to its answers over HTTP, by the commands that users type."""

import json
import shutil
import struct
import urllib.error
import urllib.request
from typing import Any

import numpy as np
import psutil

from ft.api import AdapterMetadata
from tests.e2e.conftest import FTS, Studio
from tests.support import run

GREEDY = {"do_sample": False, "max_new_tokens": 8}
ASKED = 5


def serves_as_evaluated(
    studio: Studio, adapter: AdapterMetadata, scored: list[dict[str, str]]
) -> None:
    """The adapter, served, answers as it did when it was evaluated; a tampered one does not."""
    options = ["--generation-config", json.dumps(GREEDY), "--name", "answers"]
    served = studio.fts("serve", adapter.name, *options)
    assert served["status"] == "deployed"
    for row in scored[:ASKED]:
        status, answer = post(studio, served, {"prompt": row["model_input"]})
        assert status == 200, answer
        assert answer == {"success": True, "response": row["model_output"]}
    assert post(studio, served, {"prompt": "x", "top_p": 7})[0] == 400
    assert post(studio, served, {"prompt": "x"}, key="")[0] == 401
    asked = studio.fts("ask", "answers", scored[0]["model_input"])
    assert asked == {"response": scored[0]["model_output"]}
    log = studio.fts("served", "logs", "answers")["log"]
    assert "are those of the trained model" in log
    assert "no GPU, so it is served on the CPU" in log
    (listed,) = studio.fts("served", "list")
    assert (listed["name"], listed["status"]) == ("answers", "deployed")
    assert served["access_key"] not in (studio.home / "logs" / "models.log").read_text()
    _refuses_a_tampered_adapter(studio, adapter)
    studio.fts("served", "remove", "answers")
    assert studio.fts("served", "list") == []
    assert not [p for p in psutil.process_iter() if _served_by(p, studio)]


def _refuses_a_tampered_adapter(studio: Studio, adapter: AdapterMetadata) -> None:
    folder = studio.project / adapter.location
    kept = shutil.copytree(folder, folder.with_name("kept"))
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(_spoilt(weights.read_bytes()))
    done = run(FTS, "serve", adapter.name, "--name", "tampered", env=studio.env)
    assert done.returncode == 1
    assert "Answers differ on prompt" in done.stderr
    studio.fts("served", "remove", "tampered")
    shutil.rmtree(folder)
    kept.rename(folder)


def _spoilt(content: bytes) -> bytes:
    """The safetensors file with the first factor of every update turned and grown."""
    (size,) = struct.unpack("<Q", content[:8])
    spoilt = bytearray(content)
    for name, tensor in json.loads(content[8 : 8 + size]).items():
        if "lora_A" in name:
            start, end = (8 + size + offset for offset in tensor["data_offsets"])
            spoilt[start:end] = (np.frombuffer(content[start:end], "<f4") * -4).tobytes()
    return bytes(spoilt)


def _served_by(process: psutil.Process, studio: Studio) -> bool:
    try:
        return any(str(studio.home / "models") in word for word in process.cmdline())
    except psutil.Error:
        return False


def post(
    studio: Studio, served: dict[str, Any], request: Any, key: str | None = None
) -> tuple[int, Any]:
    """HTTP status and content of the answer, asked for as any program would."""
    bearer = (studio.home / "workbench.key").read_text() if key is None else key
    body = json.dumps({"accessKey": served["access_key"], "request": request}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
    try:
        asked = urllib.request.Request(served["url"], body, headers)
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
